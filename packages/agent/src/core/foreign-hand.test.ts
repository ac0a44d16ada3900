import { expect, test } from "vitest";
import { describeBreak, SettingWatch } from "./foreign-hand.ts";

const change = { afterRawNs: 0n, beforeRawNs: 50_000_000n, rateSigmaPpb: 400 };

test.each([
  ["a step", 1_000_000, 300, "stepped it by +1.000 ms"],
  ["a step back", -2_500_000, -300, "stepped it by -2.500 ms"],
  ["a slew, seen 50 us late", 50_000, 500_000, "changed its rate by +500.0 ppm"],
  ["both", 7e6, -90_000, "stepped it by +7.000 ms and changed its rate by -90.0 ppm"],
  ["a small jump", -4_000, 100, "moved it by -4.0 us"],
])("names %s", (_, stepNs, rateChangePpb, words) => {
  expect(describeBreak({ ...change, stepNs, rateChangePpb })).toBe(words);
});

test("a strange setting is named once it has been seen twice, our own never", () => {
  const watch = new SettingWatch();
  expect(watch.look(5_000.4, 5_000)).toBeUndefined();
  expect(watch.look(-7_000, 5_000)).toBeUndefined();
  expect(watch.look(5_000, 5_000)).toBeUndefined();
  expect(watch.look(-7_000, 5_000)).toBeUndefined();
  expect(watch.look(-7_000, 5_000)).toBe("set its frequency to -7.0 ppm (we had set +5.0 ppm)");
});
