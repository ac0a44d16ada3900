import { expect, test } from "vitest";
import { fuzzOptions } from "./options.ts";

const names = ["probe", "config"];

test("without arguments it is the short form of all targets, with them what they say", () => {
  expect(fuzzOptions([], names)).toEqual({ seed: 1, full: false });
  expect(fuzzOptions(["--full"], names)).toEqual({ seed: 1, full: true, seconds: 3_600 });
  const some = ["--target", "probe", "--cases", "5", "--seed", "7", "--seconds", "9"];
  expect(fuzzOptions(some, names)).toEqual({
    target: "probe",
    cases: 5,
    seed: 7,
    seconds: 9,
    full: false,
  });
  expect(fuzzOptions(["--replay", "x.bin"], names)).toMatchObject({ replay: "x.bin" });
});

test.each([
  [["--target", "nobody"], '--target "nobody": give one of probe, config'],
  [["--cases", "0"], '--cases "0": give a whole number from 1'],
  [["--cases", "1e3"], '--cases "1e3": give a whole number from 1'],
  [["--seed", "4294967296"], '--seed "4294967296": give a whole number from 0'],
  [["--seconds", ""], '--seconds "": give a whole number'],
  [["--nonsense"], "--nonsense"],
  [["nonsense"], "nonsense"],
])("%j is refused in one line that says what to give", (args, text) => {
  const said = fuzzOptions(args, names);
  expect(said).toContain(text);
  expect(said).toMatch(/^.*give .*$/);
});
