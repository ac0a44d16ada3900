import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Carry } from "@ttcs/estimator";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTriples } from "../columns.ts";
import { systemClockContract } from "../contract.ts";
import { KernelClockReader } from "../kernel/clock-reader.ts";
import type { LabOptions } from "../types.ts";
import { VirtualSystemClock } from "./clock.ts";
import { FakeKernel, labOptions } from "./fake-kernel.ts";
import { DAEMON_PERIOD_NS, VirtualScale } from "./scale.ts";
import { TICK_NS } from "./timeline.ts";
import { virtualTruth } from "./truth.ts";

const SECOND = 1_000_000_000n;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ttcs-clock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

for (const timeDaemon of [false, true]) {
  systemClockContract(timeDaemon ? "virtual with a time daemon" : "virtual", () => {
    const reader = new KernelClockReader();
    const { rawNs, systemNs } = reader.read();
    const start = { startKernelRawNs: rawNs, startUnixNs: systemNs };
    return new VirtualSystemClock(labOptions(folder, { timeDaemon, ...start }), reader);
  });
}

/** A laboratory host on fake kernel clocks. */
function open(changes: Partial<LabOptions> = {}): {
  clock: VirtualSystemClock;
  kernel: FakeKernel;
  lab: LabOptions;
} {
  const kernel = new FakeKernel();
  const lab = labOptions(folder, changes);
  return { clock: new VirtualSystemClock(lab, kernel), kernel, lab };
}

/** Carries kernel stamps taken at `instants` of the kernel's raw clock to the virtual scale. */
function mapStamps(clock: VirtualSystemClock, kernel: FakeKernel, instants: bigint[]): bigint[] {
  const stamps = BigInt64Array.from(instants.map((rawNs) => kernel.realAt(rawNs)));
  const kernelNs = new Float64Array(stamps.length);
  clock.carryStamps(stamps, stamps.length, kernelNs);
  clock.systemColumn(kernelNs, stamps.length, stamps);
  return [...stamps];
}

describe("a virtual clock", () => {
  test("starts within 5 ms, or within 50 us where a time daemon steers it", () => {
    const offsets = (timeDaemon: boolean): number[] =>
      Array.from({ length: 100 }, (_, index) => {
        const lab = labOptions(folder, { index, timeDaemon });
        return Number(new VirtualScale(lab).startSystemNs - lab.startUnixNs);
      });
    for (const [timeDaemon, limitNs] of [
      [false, 5e6],
      [true, 5e4],
    ] as const) {
      const magnitudes = offsets(timeDaemon).map(Math.abs);
      expect(Math.max(...magnitudes)).toBeLessThanOrEqual(limitNs);
      expect(Math.max(...magnitudes)).toBeGreaterThan(limitNs * 0.8);
    }
  });

  test("shows what the truth of seed and log says, through steps and frequencies", () => {
    const { clock, kernel, lab } = open();
    const truth = virtualTruth(lab);
    for (const write of [
      () => {},
      () => clock.step(-3_000_000),
      () => clock.adjustFrequency(40_000),
    ]) {
      write();
      kernel.nowNs += 7n * SECOND;
      truth.refresh();
      const reading = clock.read();
      expect(reading.rawNs).toBe(truth.rawAt(reading.kernelRawNs));
      expect(reading.systemNs).toBe(truth.systemAt(reading.kernelRawNs));
    }
  });

  test("maps a kernel stamp to what it showed at that instant", () => {
    const { clock, kernel, lab } = open();
    const triples = createTriples(8);
    for (let i = 0; i < 200; i++) {
      kernel.nowNs += 10_000_000n;
      clock.readTriples(2, triples);
    }
    const truth = virtualTruth(lab);
    const instants = Array.from({ length: 50 }, (_, i) => kernel.nowNs - BigInt(i) * 3_000_017n);
    const mapped = mapStamps(clock, kernel, instants);
    const errorsNs = mapped.map((systemNs, i) => Number(systemNs - truth.systemAt(instants[i])));
    console.log(`carried stamps off by ${Math.min(...errorsNs)} to ${Math.max(...errorsNs)} ns`);
    expect(Math.max(...errorsNs.map(Math.abs))).toBeLessThanOrEqual(10);
  });

  test("a later write moves an old stamp by 0 ns", () => {
    const { clock, kernel } = open();
    const instants = [kernel.nowNs - 2_000_000n, kernel.nowNs - 1_000_000n, kernel.nowNs];
    const kernelNs = new Float64Array(3);
    const stamps = BigInt64Array.from(instants.map((rawNs) => kernel.realAt(rawNs)));
    clock.carryStamps(stamps, 3, kernelNs);
    const before = new BigInt64Array(3);
    clock.systemColumn(kernelNs.slice(), 3, before);
    clock.adjustFrequency(-500_000);
    clock.step(123_456_789);
    kernel.nowNs += SECOND;
    clock.adjustFrequency(500_000);
    const after = new BigInt64Array(3);
    clock.systemColumn(kernelNs.slice(), 3, after);
    expect(after).toEqual(before);
  });

  test("a frequency bends it from the next tick on, a step at once", () => {
    const { clock, kernel, lab } = open();
    const truth = virtualTruth(lab);
    const writtenNs = clock.adjustFrequency(100_000);
    truth.refresh();
    const tick = BigInt(TICK_NS);
    const scale = new VirtualScale(lab);
    const tickAt = scale.oscillator.kernelAt(((writtenNs + tick - 1n) / tick) * tick);
    const gainNs = (kernelRawNs: bigint): number => {
      const rawGainNs = truth.rawAt(kernelRawNs) - truth.rawAt(tickAt);
      return Number(truth.systemAt(kernelRawNs) - truth.systemAt(tickAt) - rawGainNs);
    };
    expect(Math.abs(gainNs(tickAt - 1_000_000n))).toBeLessThanOrEqual(2);
    expect(Math.abs(gainNs(tickAt + 1_000_000n) - 100)).toBeLessThanOrEqual(2);
    kernel.nowNs += SECOND;
    const before = clock.read();
    clock.step(5_000);
    const after = clock.read();
    const movedNs = Number(after.systemNs - before.systemNs - (after.rawNs - before.rawNs));
    expect(Math.abs(movedNs - 5_000)).toBeLessThanOrEqual(2);
  });

  test("after its agent is killed it reads on without a jump", () => {
    const { clock, kernel, lab } = open();
    clock.step(1_234_567);
    clock.adjustFrequency(-20_000);
    kernel.nowNs += 100n * SECOND;
    const before = clock.read();
    // Killed: nothing is closed. The next agent opens the same log.
    const again = new VirtualSystemClock(lab, kernel);
    const after = again.read();
    const rawGainNs = Number(after.rawNs - before.rawNs);
    const gainNs = Number(after.systemNs - before.systemNs);
    expect(Math.abs(gainNs - rawGainNs * (1 - 20_000e-9))).toBeLessThanOrEqual(2);
    expect(again.readStatus().freqPpb).toBe(-20_000);
    expect(virtualTruth(lab).systemAt(after.kernelRawNs)).toBe(after.systemNs);
  });

  test("the readings of a triple happen one after the other, on true instants", () => {
    const { clock, lab } = open();
    const { oscillator } = new VirtualScale(lab);
    const truth = virtualTruth(lab);
    const triples = createTriples(2000);
    clock.readTriples(2000, triples);
    let wide = 0;
    for (let i = 0; i < triples.length; i++) {
      const widthNs = Number(triples.rawAfterNs[i] - triples.rawBeforeNs[i]);
      if (widthNs > 20_000) wide++;
      const from = truth.systemAt(oscillator.kernelAt(triples.rawBeforeNs[i]));
      const to = truth.systemAt(oscillator.kernelAt(triples.rawAfterNs[i]));
      expect(triples.systemNs[i]).toBeGreaterThanOrEqual(from - 2n);
      expect(triples.systemNs[i]).toBeLessThanOrEqual(to + 2n);
    }
    // Two delays of a hundredth each: 40 expected, 6.3 standard deviation.
    expect(wide).toBeGreaterThan(15);
    expect(wide).toBeLessThan(70);
  });

  test("its triples lead the estimator's carry to the truth", () => {
    const { clock, kernel, lab } = open();
    const carry = new Carry();
    for (let i = 0; i < 100; i++) {
      kernel.nowNs += 10_000_000n;
      const triples = createTriples(2);
      clock.readTriples(2, triples);
      carry.addTriples(triples);
    }
    const { rawNs, kernelRawNs } = clock.read();
    const instant = carry.systemAt(rawNs)!;
    const errorNs = Number(instant.systemNs - virtualTruth(lab).systemAt(kernelRawNs));
    console.log(
      `carry of noisy triples: error ${errorNs} ns, bound ${instant.boundNs.toFixed(0)} ns`,
    );
    expect(Math.abs(errorNs)).toBeLessThanOrEqual(instant.boundNs + 2);
    expect(Math.abs(errorNs)).toBeLessThan(50);
  });

  test("tells of its errors as the kernel does", () => {
    const { clock, kernel } = open();
    const unknown = { maxErrorNs: 16e9, estErrorNs: 16e9, synchronised: false };
    expect(clock.readStatus()).toMatchObject({ freqPpb: 0, ...unknown });
    clock.setErrors(1000, 500, true);
    kernel.nowNs += 2n * SECOND;
    const status = clock.readStatus();
    expect(status).toMatchObject({ estErrorNs: 500, synchronised: true });
    expect(Math.abs(status.maxErrorNs - 1_001_000)).toBeLessThan(10);
    clock.step(1);
    expect(clock.readStatus()).toMatchObject(unknown);
  });
});

describe("a clock with a time daemon", () => {
  test("follows true time for a day, with a rate that changes every 16 s by up to 150 ppb", () => {
    const { clock, lab } = open({ timeDaemon: true });
    const truth = virtualTruth(lab);
    const scale = new VirtualScale(lab);
    const errorAt = (seconds: number): number => {
      const since = BigInt(seconds) * SECOND;
      return Number(truth.systemAt(lab.startKernelRawNs + since) - lab.startUnixNs - since);
    };
    for (let s = 0; s < 86_400; s += 977) expect(Math.abs(errorAt(s))).toBeLessThan(100_000);
    const steady = -scale.oscillator.freqPpb;
    const rates = Array.from({ length: 500 }, (_, i) =>
      scale.daemonPpb((i + 0.5) * DAEMON_PERIOD_NS),
    );
    expect(new Set(rates).size).toBe(500);
    for (const rate of rates) expect(Math.abs(rate - steady)).toBeLessThanOrEqual(151);
    expect(Math.max(...rates) - Math.min(...rates)).toBeGreaterThan(200);
    expect(clock.readStatus()).toMatchObject({ synchronised: true, maxErrorNs: 100_000 });
    expect(Math.abs(clock.readStatus().freqPpb - steady)).toBeLessThanOrEqual(151);
  });

  test.each([2_000_000, -2_000_000])(
    "slews once, from half the slew on one side of true time to half on the other: %d ns",
    (slewNs) => {
      const slew = { slewNs, atS: 30, ratePpb: 500_000 };
      for (let index = 0; index < 20; index++) {
        const { clock, kernel, lab } = open({ timeDaemon: true, slew, index });
        const { maxErrorNs } = clock.readStatus();
        expect(maxErrorNs).toBeCloseTo(1_200_000);
        const errorAt = (seconds: number): number => {
          kernel.nowNs = lab.startKernelRawNs + BigInt(Math.round(seconds * 1e9));
          const { kernelRawNs, systemNs } = clock.read();
          return Number(systemNs - lab.startUnixNs - (kernelRawNs - lab.startKernelRawNs));
        };
        for (const s of [0, 29.9, 34.1, 1000, 40_000]) {
          const side = Math.sign(s - 32) * Math.sign(slewNs);
          expect(Math.abs(errorAt(s) - side * 1e6)).toBeLessThan(100_000);
          expect(Math.abs(errorAt(s))).toBeLessThan(maxErrorNs);
        }
        expect(Math.abs(errorAt(32))).toBeLessThan(100_000);
      }
    },
  );

  test("its rate is the slope of its clock, before, in and after a slew", () => {
    const slew = { slewNs: -2_000_000, atS: 30, ratePpb: 500_000 };
    const { lab } = open({ timeDaemon: true, slew });
    const scale = new VirtualScale(lab);
    for (const s of [1, 29.5, 30.5, 32.4, 33.5, 34.5, 63, 65]) {
      const [from, to] = [s * 1e9 - 1e8, s * 1e9 + 1e8];
      const gainNs = scale.systemSince(to) - scale.systemSince(from) - (to - from);
      expect((gainNs / 2e8) * 1e9).toBeCloseTo(scale.daemonPpb(s * 1e9), 0);
    }
    expect(scale.daemonPpb(32e9) - scale.daemonPpb(35e9)).toBeLessThan(-499_000);
  });

  test("who has no daemon has no slew", () => {
    const slew = { slewNs: 2_000_000, atS: 1, ratePpb: 500_000 };
    const plain = new VirtualScale(open().lab);
    const other = new VirtualScale(open({ slew }).lab);
    expect(other.startSystemNs).toBe(plain.startSystemNs);
    expect(other.systemSince(50e9)).toBe(plain.systemSince(50e9));
  });
});
