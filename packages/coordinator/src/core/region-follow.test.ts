import { expect, test } from "vitest";
import { followPpb } from "./region-follow.ts";

/** Lets a region follow from `restNs` on; rounds of half a second, rates decided a round ahead. */
function follow(restNs: number, sigmaNs: number, seconds: number) {
  let ratePpb = 0;
  const ahead = [0];
  let fastestPpb = 0;
  let steepestPpb = 0;
  const restsNs: number[] = [];
  for (let round = 0; round < 2 * seconds; round++) {
    const foreseenNs = restNs - 0.5 * ahead[0];
    const next = followPpb({ ns: foreseenNs, ratePpb: 0, domainPpb: 0 }, sigmaNs, ahead[0]);
    steepestPpb = Math.max(steepestPpb, Math.abs(next - ahead[0]));
    ratePpb = ahead.shift()!;
    ahead.push(next);
    fastestPpb = Math.max(fastestPpb, Math.abs(ratePpb));
    restNs -= 0.5 * ratePpb;
    restsNs.push(restNs);
  }
  return { restsNs, fastestPpb, steepestPpb };
}

test("what is left is removed without passing beyond it by more than a twentieth", () => {
  for (const startNs of [500, 5_000, 50_000, -800_000]) {
    for (const sigmaNs of [0, 1_000]) {
      const { restsNs } = follow(startNs, sigmaNs, 600);
      const beyondNs = Math.max(...restsNs.map((ns) => -Math.sign(startNs) * ns));
      expect(beyondNs).toBeLessThan(Math.abs(startNs) / 20);
      expect(Math.abs(restsNs[restsNs.length - 1])).toBeLessThan(5);
    }
  }
});

test("near the domain the rate never changes by more than 50 ppb a round", () => {
  expect(follow(9_000, 0, 120).steepestPpb).toBeLessThanOrEqual(50);
  expect(follow(90_000, 0, 120).steepestPpb).toBe(100);
});

test("a link that is known badly is followed more slowly", () => {
  expect(follow(200, 1_000, 60).fastestPpb).toBeLessThan(follow(200, 10, 60).fastestPpb / 3);
});
