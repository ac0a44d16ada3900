import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LabOptions, virtualTruth } from "@ttcs/timestamper";
import { diffNs, hashText, mix32, Prng } from "@ttcs/units";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { HostTruth, utcAt } from "./truth.ts";

const HOUR_NS = 3_600_000_000_000;
const SEED = 20261122;
const folder = mkdtempSync(join(tmpdir(), "ttcs-truth-"));
afterAll(() => rmSync(folder, { recursive: true }));

const kinds = ["frequency", "step", "foreign-rate", "foreign-step", "foreign-setting"];

/** A laboratory host with its log written: any seed, any kind of write at any time of an hour. */
const worlds = fc
  .record({
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    index: fc.integer({ min: 0, max: 63 }),
    timeDaemon: fc.boolean(),
    slew: fc.option(
      fc.record({
        slewNs: fc.integer({ min: -3_000_000, max: 3_000_000 }),
        atS: fc.double({ min: 0, max: 3600, noNaN: true }),
        ratePpb: fc.integer({ min: 1000, max: 500_000 }),
      }),
      { nil: undefined },
    ),
    log: fc.array(
      fc.record({
        atNs: fc.oneof(
          fc.integer({ min: 0, max: HOUR_NS }),
          fc.integer({ min: 0, max: 20_000_000 }),
        ),
        kind: fc.constantFrom(...kinds),
        value: fc.oneof(
          fc.double({ min: -500_000, max: 500_000, noNaN: true }),
          fc.integer({ min: -500_000, max: 500_000 }),
        ),
      }),
      { maxLength: 40 },
    ),
    instants: fc.array(fc.integer({ min: 0, max: HOUR_NS }), { minLength: 10, maxLength: 20 }),
  })
  .map(({ log, instants, slew, ...host }) => {
    const lab = options({ ...host, ...(slew ? { slew } : {}) });
    const startRawNs = new HostTruth(
      options({ ...host, index: host.index, stateDir: "/none" }),
    ).rawAt(lab.startKernelRawNs);
    const lines = [...log]
      .sort((a, b) => a.atNs - b.atNs)
      .map(({ atNs, kind, value }) => ({
        rawNs: String(startRawNs + BigInt(atNs)),
        kind,
        value: kind.endsWith("step") ? Math.round(value) : value,
      }));
    const file = join(folder, `clock-${lab.index}.jsonl`);
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    // Around each write as well: that is where mistakes are.
    const close = log.flatMap(({ atNs }) => [atNs, atNs + 2, atNs + 4_000_001]);
    return { lab, instants: [...instants, ...close].map((ns) => BigInt(ns)) };
  });

function options(changes: Partial<LabOptions>): LabOptions {
  const none = { baseDelayNs: 0, jitterNs: 0, loss: 0, asymmetryNs: 0, asymmetricShare: 0 };
  return {
    seed: 1,
    index: 0,
    stateDir: folder,
    startKernelRawNs: 123_456_789_012_345n,
    startUnixNs: 1_795_356_122_000_000_000n,
    timeDaemon: false,
    link: { ...none, queueLoad: 0, queueServiceNs: 0, spikeShare: 0, spikeNs: 0 },
    ...changes,
  };
}

describe("the truth of the laboratory", () => {
  test("agrees within 2 ns with the clocks that it judges, though it shares no code with them", () => {
    let worstNs = 0;
    fc.assert(
      fc.property(worlds, ({ lab, instants }) => {
        const truth = new HostTruth(lab);
        const clock = virtualTruth(lab);
        for (const since of instants) {
          const kernelRawNs = lab.startKernelRawNs + since;
          const apart = [
            diffNs(truth.rawAt(kernelRawNs), clock.rawAt(kernelRawNs)),
            diffNs(truth.systemAt(kernelRawNs), clock.systemAt(kernelRawNs)),
          ].map(Math.abs);
          worstNs = Math.max(worstNs, ...apart);
          expect(Math.max(...apart)).toBeLessThanOrEqual(2);
        }
        truth.close();
      }),
      { seed: SEED, numRuns: 300 },
    );
    console.log(`truth and clocks of 300 laboratories: at most ${worstNs} ns apart`);
  });

  test("its raw clock is the integral of the frequency that the specification names", () => {
    const lab = options({ seed: 77, index: 5 });
    const truth = new HostTruth(lab);
    const draws = new Prng(mix32(mix32(77, hashText("oscillator")), 5));
    draws.uniform();
    const freqPpb = draws.between(-20_000, 20_000);
    const phases = Array.from({ length: 11 }, () => 2 * Math.PI * draws.uniform());
    const rateAt = (seconds: number): number =>
      phases.reduce((sumPpb, phase, i) => {
        const periodS = 4 * 2 ** i;
        return (
          sumPpb + 0.3 * Math.sqrt(periodS) * Math.sin((2 * Math.PI * seconds) / periodS + phase)
        );
      }, freqPpb);
    // Simpson's rule; the fastest sine has 80 steps.
    const stepS = 0.05;
    let gainNs = 0;
    for (let i = 0; i < 12_000; i++) {
      const from = i * stepS;
      const middle = rateAt(from + stepS / 2);
      gainNs += (stepS / 6) * (rateAt(from) + 4 * middle + rateAt(from + stepS));
    }
    const since = 600_000_000_000n;
    const start = lab.startKernelRawNs;
    const trueGainNs = Number(truth.rawAt(start + since) - truth.rawAt(start) - since);
    expect(Math.abs(trueGainNs - gainNs)).toBeLessThanOrEqual(1.5);
  });

  test("finds the kernel's instant of a raw reading again", () => {
    const instant = fc.integer({ min: 0, max: HOUR_NS });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), instant, (seed, since) => {
        const lab = options({ seed, stateDir: "/none" });
        const truth = new HostTruth(lab);
        const kernelRawNs = lab.startKernelRawNs + BigInt(since);
        const again = truth.kernelAt(truth.rawAt(kernelRawNs));
        expect(Math.abs(diffNs(again, kernelRawNs))).toBeLessThanOrEqual(2);
      }),
      { seed: SEED },
    );
  });

  test("true time runs with the kernel's raw clock", () => {
    const lab = options({});
    expect(utcAt(lab, lab.startKernelRawNs + 5n)).toBe(lab.startUnixNs + 5n);
  });

  test("follows the log as it grows, and refuses what it does not know", () => {
    const lab = options({ index: 99 });
    const truth = new HostTruth(lab);
    const at = lab.startKernelRawNs + 1_000_000_000n;
    const before = truth.systemAt(at);
    const file = join(folder, "clock-99.jsonl");
    const rawNs = String(truth.rawAt(lab.startKernelRawNs));
    const line = `{"rawNs":"${rawNs}","kind":"foreign-step","value":-777}\n`;
    writeFileSync(file, line.slice(0, 20));
    truth.refresh();
    expect(truth.systemAt(at)).toBe(before);
    writeFileSync(file, line);
    truth.refresh();
    expect(truth.systemAt(at)).toBe(before - 777n);
    writeFileSync(file, `${line}{"rawNs":"1","kind":"nudge","value":1}\n`);
    expect(() => truth.refresh()).toThrow("is no write to a clock");
  });
});
