import { expect, test } from "vitest";
import { defaultServoOptions, Servo, type ServoInput } from "./servo.ts";

const input: ServoInput = {
  offsetNs: 0,
  domainFreqPpb: 0,
  settingPpb: 0,
  measuredFreqPpb: 0,
  foreignPpb: 0,
  locked: true,
  lockedBefore: true,
  mayStep: false,
};

/** Runs a clock whose hardware adds `mismatchPpb` to every setting; returns |offset| per second. */
function run(startNs: number, domainFreqPpb: number, mismatchPpb: number, locked: boolean) {
  const servo = new Servo();
  const offsetsNs: number[] = [];
  let offsetNs = startNs;
  let settingPpb = 0;
  for (let second = 0; second < 60; second++) {
    const measuredFreqPpb = settingPpb + mismatchPpb;
    const out = servo.decide({
      ...input,
      offsetNs,
      domainFreqPpb,
      settingPpb,
      measuredFreqPpb,
      locked,
      lockedBefore: locked,
    });
    settingPpb = out.freqPpb;
    offsetNs += settingPpb + mismatchPpb - domainFreqPpb;
    offsetsNs.push(Math.abs(offsetNs));
  }
  return offsetsNs;
}

test("a clock that is ahead is slowed, one that is behind is sped up", () => {
  expect(new Servo().decide({ ...input, offsetNs: 300 }).freqPpb).toBeLessThan(0);
  expect(new Servo().decide({ ...input, offsetNs: -300 }).freqPpb).toBeGreaterThan(0);
});

test("while acquiring, half a millisecond is down to a few ns within six seconds", () => {
  const offsetsNs = run(-499_000, 15_000, 0, false);
  expect(offsetsNs[5]).toBeLessThan(10);
});

test("once locked, the rate of the domain is met without a lasting offset", () => {
  const offsetsNs = run(400, -17_000, 0, true);
  expect(offsetsNs[59]).toBeLessThan(1);
});

test("a kernel that adds 300 ppb to every setting is learnt", () => {
  expect(run(0, 5_000, 300, true)[59]).toBeLessThan(10);
});

test("once locked, no offset makes it slew faster than its limit beside the domain's rate", () => {
  const out = new Servo().decide({ ...input, offsetNs: 1e9, domainFreqPpb: 20_000 });
  expect(out).toEqual({ kind: "slew", freqPpb: -30_000 });
});

test("the kernel's own limit is never exceeded", () => {
  const far = { ...input, offsetNs: -1e9, domainFreqPpb: 20_000, lockedBefore: false };
  expect(new Servo().decide(far).freqPpb).toBe(500_000);
});

test("a step is taken only where it is allowed and only above the threshold", () => {
  const beyond = defaultServoOptions.stepThresholdNs + 1;
  expect(new Servo().decide({ ...input, offsetNs: beyond, mayStep: true })).toMatchObject({
    kind: "step",
    stepNs: -beyond,
  });
  expect(new Servo().decide({ ...input, offsetNs: beyond }).kind).toBe("slew");
  expect(new Servo().decide({ ...input, offsetNs: beyond - 2, mayStep: true }).kind).toBe("slew");
});

test("a mismatch that no crystal can have is a broken reading and is not learnt", () => {
  const servo = new Servo();
  servo.decide({ ...input, measuredFreqPpb: 1e6 });
  servo.decide({ ...input, measuredFreqPpb: Number.NaN });
  expect(servo.decide(input).freqPpb).toBe(0);
});

test("what another hand adds is taken away at once, and not learnt as the crystal's", () => {
  const servo = new Servo();
  const held = { ...input, settingPpb: 0, measuredFreqPpb: 100_000, foreignPpb: 100_000 };
  const out = servo.decide({ ...held, offsetNs: 0, domainFreqPpb: 0 });
  expect(out).toEqual({ kind: "slew", freqPpb: -100_000 });
  const after = servo.decide({ ...input, offsetNs: 0, domainFreqPpb: 0 });
  expect(after).toEqual({ kind: "slew", freqPpb: 0 });
});

test("once locked, the setting stays within 50 ppm of the learnt rate, whatever the line asks for", () => {
  for (const domainFreqPpb of [-900_000, -61_000, 20_000, 80_000, 900_000]) {
    for (const offsetNs of [-1e12, -1e5, 0, 1e5, 1e12]) {
      const out = new Servo().decide({ ...input, domainFreqPpb, offsetNs, basePpb: 20_000 });
      expect(out.kind).toBe("slew");
      expect(Math.abs(out.freqPpb - 20_000)).toBeLessThanOrEqual(50_000);
      // A clock whose rate never falls to nothing never goes back.
      expect(1 + out.freqPpb * 1e-9).toBeGreaterThan(0.999);
    }
  }
});

test("what a process that has just begun takes for its rate is hardly learnt", () => {
  const settingAfter = (measuredSigmaPpb: number) => {
    const servo = new Servo();
    servo.decide({ ...input, measuredFreqPpb: 400, measuredSigmaPpb });
    return servo.decide({ ...input, measuredSigmaPpb: Number.NaN }).freqPpb;
  };
  expect(settingAfter(5)).toBeCloseTo(-40);
  expect(Math.abs(settingAfter(500))).toBeLessThan(1);
});

test("the pace at the end is domain time's own, within the limit of slewing", () => {
  const servo = new Servo();
  servo.decide({ ...input, offsetNs: 5_000, measuredFreqPpb: 100 });
  const pace = { domainFreqPpb: 12_000, foreignPpb: 50 };
  // Less what the clock is known to add by itself.
  expect(servo.pacePpb(pace)).toBeCloseTo(12_000 - 10 - 50);
  const limit = defaultServoOptions.lockedSlewPpb;
  expect(servo.pacePpb({ ...pace, basePpb: -1e6 })).toBe(-500_000);
  expect(servo.pacePpb({ ...pace, basePpb: 12_000 - 2 * limit })).toBeCloseTo(12_000 - limit - 60);
});
