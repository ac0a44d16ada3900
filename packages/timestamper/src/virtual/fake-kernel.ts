/**
 * Kernel clocks for tests: raw time moves by a fixed amount with each reading, real time runs beside
 * it at a fixed rate. Nothing waits, so that hours of a laboratory pass in a moment.
 */
import { reserveTriples } from "../columns.ts";
import type { LabOptions, LinkConditions, TripleColumns } from "../types.ts";
import type { KernelReadings } from "./clock.ts";

/** What each reading takes (ns). */
const READING_NS = 60;

/** Links that add nothing. */
export const CLEAR_LINK: LinkConditions = {
  baseDelayNs: 0,
  jitterNs: 0,
  loss: 0,
  asymmetryNs: 0,
  asymmetricShare: 0,
  queueLoad: 0,
  queueServiceNs: 0,
  spikeShare: 0,
  spikeNs: 0,
};

/** A laboratory host's options, with `changes` applied. */
export function labOptions(stateDir: string, changes: Partial<LabOptions> = {}): LabOptions {
  return {
    seed: 42,
    index: 3,
    stateDir,
    startKernelRawNs: 5_000_000_000_000n,
    startUnixNs: 1_795_356_122_000_000_000n,
    timeDaemon: false,
    link: CLEAR_LINK,
    ...changes,
  };
}

export class FakeKernel implements KernelReadings {
  /** The kernel's raw clock (ns). */
  nowNs = 5_000_000_000_000n;
  /** The machine's real time runs fast by this (ppb). */
  readonly realFreqPpb = 8_000n;
  readonly #realAtZeroNs = 1_700_000_000_000_000_000n;

  readRaw(): bigint {
    this.nowNs += BigInt(READING_NS);
    return this.nowNs;
  }

  readTriples(count: number, out: TripleColumns): void {
    reserveTriples(out, count);
    for (let i = 0; i < count; i++) {
      const at = out.length++;
      out.rawBeforeNs[at] = this.readRaw();
      out.systemNs[at] = this.realAt(this.readRaw());
      out.rawAfterNs[at] = this.readRaw();
    }
  }

  /** CLOCK_REALTIME (Unix ns) at an instant of the raw clock. */
  realAt(rawNs: bigint): bigint {
    return this.#realAtZeroNs + rawNs + (rawNs * this.realFreqPpb) / 1_000_000_000n;
  }
}
