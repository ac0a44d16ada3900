import { expect, test } from "vitest";
import { type ClockFacts, judge } from "./clock-state.ts";

const locked: ClockFacts = {
  connected: true,
  coordinatorAddress: "10.0.0.1:6176",
  correctionAgeS: 0.4,
  freshForS: 2,
  trustedRounds: 3,
  correctionReason: "",
  offsetNs: 120,
  sigmaNs: 20,
  boundNs: 900,
  steered: true,
  locked: true,
  closeForS: 0,
  blindForS: 0,
};

const without = <K extends keyof ClockFacts>(key: K): Omit<ClockFacts, K> => {
  const { [key]: _, ...rest } = locked;
  return rest;
};

test("fresh, trusted and close is LOCKED, with nothing to explain", () => {
  expect(judge(locked)).toEqual({ state: "LOCKED", reason: "", advice: "" });
});

test.each([
  ["two trusted rounds are not three", { trustedRounds: 2 }, "ACQUIRING", /2 of 3 rounds/],
  ["501 ns are too far", { offsetNs: -501 }, "ACQUIRING", /-501 ns/],
  ["501 ns are near enough where sigma is 200 ns", { offsetNs: 501, sigmaNs: 200 }, "LOCKED", /^$/],
  ["an old correction means holdover", { correctionAgeS: 2 }, "HOLDOVER", /2\.0 s/],
  ["a correction may say that it is fresh for less", { freshForS: 0.3 }, "HOLDOVER", /0\.4 s/],
  [
    "holdover tells why corrections are of no use",
    { correctionAgeS: 3, correctionReason: "the line jumps" },
    "HOLDOVER",
    /the line jumps/,
  ],
  [
    "holdover names a lost connection",
    { correctionAgeS: 5, connected: false },
    "HOLDOVER",
    /no connection to 10\.0\.0\.1:6176/,
  ],
  [
    "a bound past a millisecond says no more than the crystal",
    { correctionAgeS: 900, boundNs: 1_000_001 },
    "FREERUN",
    /1 ms/,
  ],
  [
    "another hand outweighs all that was measured",
    { disruption: "stepped it by +1.000 ms" },
    "DISRUPTED",
    /stepped it/,
  ],
  [
    "a clock that is held against another hand says so",
    { foreignPpb: 1e5 },
    "LOCKED",
    /100\.0 ppm/,
  ],
  ["a refusal outweighs everything", { refusal: "seat limit" }, "REFUSED", /seat limit/],
] as const)("%s", (_, change, state, reason) => {
  const verdict = judge({ ...locked, ...change });
  expect(verdict.state).toBe(state);
  expect(verdict.reason).toMatch(reason);
});

test("entering LOCKED takes a while within half the limit; staying needs the limit alone", () => {
  expect(judge({ ...locked, offsetNs: 300 }).state).toBe("LOCKED");
  const outside = { ...locked, locked: false };
  expect(judge({ ...outside, offsetNs: 20, closeForS: 0.1 }).state).toBe("ACQUIRING");
  expect(judge({ ...outside, offsetNs: 20, closeForS: 0.5 }).state).toBe("LOCKED");
});

test("an observer is LOCKED whatever its own clock shows", () => {
  expect(judge({ ...locked, steered: false, offsetNs: 1e9 }).state).toBe("LOCKED");
});

test("a clock that cannot be read is not LOCKED for long", () => {
  const blind = without("offsetNs");
  expect(judge({ ...blind, blindForS: 0.6 }).state).toBe("ACQUIRING");
  expect(judge({ ...blind, locked: false }).state).toBe("ACQUIRING");
  // A moment is not enough to say so.
  expect(judge({ ...blind, blindForS: 0.2 }).state).toBe("LOCKED");
});

test("before the first correction the reason names what is missing", () => {
  const first = without("correctionAgeS");
  expect(judge({ ...first, connected: false }).reason).toContain("10.0.0.1:6176");
  const waiting = { haveHosts: 2, needHosts: 3 };
  expect(judge({ ...first, waiting }).reason).toBe("waiting: 2 of 3 hosts");
  expect(judge(first).reason).toContain("neighbours");
});
