import { expect, test } from "vitest";
import { parseForeign } from "./foreign.ts";

test("a foreign hand is told by host, second and what it does, in ppm and ms", () => {
  expect(parseForeign("h3@30:slew=200")).toEqual({
    host: "h3",
    atS: 30,
    write: { kind: "rate", ratePpb: 200_000 },
  });
  expect(parseForeign("h12@0.5:step=-5.5")).toEqual({
    host: "h12",
    atS: 0.5,
    write: { kind: "step", stepNs: -5_500_000 },
  });
  expect(parseForeign("h1@7:setting=-500").write).toEqual({ kind: "setting", freqPpb: -500_000 });
});

test("what cannot be read, or what no kernel would do, is refused with the form", () => {
  for (const text of ["", "h3", "3@30:slew=1", "h3@30:slew", "h3@-1:step=1", "h3@30:slew=1ms"]) {
    expect(() => parseForeign(text)).toThrow("HOST@SECONDS:slew=PPM");
  }
  expect(() => parseForeign("h3@30:slew=501")).toThrow("within 500 ppm");
  expect(() => parseForeign("h3@30:setting=-501")).toThrow("within 500 ppm");
});
