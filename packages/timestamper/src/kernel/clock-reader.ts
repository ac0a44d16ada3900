/**
 * Reads the kernel's clocks; has no call that could change them.
 *
 * Problem: stamps are on CLOCK_REALTIME, the estimator works on CLOCK_MONOTONIC_RAW, and no call
 * reads both at one instant. Approach: a system reading between two raw ones; the bracket's width
 * bounds the error. What it cannot see: where in its bracket a reading lies.
 *
 * A laboratory host gets this class and nothing more, so that no path leads from a virtual clock to
 * the machine's.
 */
import { SECOND_NS } from "@ttcs/units";
import { createTriples, reserveTriples } from "../columns.ts";
import type { ClockReading, TripleColumns } from "../types.ts";
import { CLOCK_MONOTONIC_RAW, CLOCK_REALTIME, TIMESPEC } from "./layouts.ts";
import { checked, libc, Memory } from "./libc.ts";

/** Brackets of which `read` takes the tightest: one in a few is widened by an interrupt. */
const READ_BRACKETS = 8;
const SECOND_NS_BIG = BigInt(SECOND_NS);
const MISSING_CLOCK = "the kernel lacks a clock; Linux 2.6.28 or later is needed";

/** Readings of the kernel's clocks. */
export class KernelClockReader {
  readonly #memory = new Memory(3 * TIMESPEC.size);
  readonly #words = new BigInt64Array(this.#memory.bytes.buffer);
  readonly #scratch = createTriples(READ_BRACKETS);

  constructor() {
    // Both clocks are tried once; from then on the calls cannot fail.
    checked(
      libc.clockGettime(CLOCK_MONOTONIC_RAW, this.#memory.address),
      "clock_gettime",
      MISSING_CLOCK,
    );
    checked(
      libc.clockGettime(CLOCK_REALTIME, this.#memory.address),
      "clock_gettime",
      MISSING_CLOCK,
    );
  }

  /** CLOCK_MONOTONIC_RAW now (ns). */
  readRaw(): bigint {
    libc.clockGettime(CLOCK_MONOTONIC_RAW, this.#memory.address);
    return this.#timeAt(0);
  }

  /** Appends `count` triples, taken one after the other. */
  readTriples(count: number, out: TripleColumns): void {
    reserveTriples(out, count);
    const { address } = this.#memory;
    for (let i = 0; i < count; i++) {
      libc.clockGettime(CLOCK_MONOTONIC_RAW, address);
      libc.clockGettime(CLOCK_REALTIME, address + TIMESPEC.size);
      libc.clockGettime(CLOCK_MONOTONIC_RAW, address + 2 * TIMESPEC.size);
      const at = out.length++;
      out.rawBeforeNs[at] = this.#timeAt(0);
      out.systemNs[at] = this.#timeAt(1);
      out.rawAfterNs[at] = this.#timeAt(2);
    }
  }

  /** One instant on both clocks: the tightest of a few brackets. */
  read(): ClockReading {
    const triples = this.#scratch;
    triples.length = 0;
    this.readTriples(READ_BRACKETS, triples);
    let best = 0;
    let bestWidthNs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < triples.length; i++) {
      const widthNs = Number(triples.rawAfterNs[i] - triples.rawBeforeNs[i]);
      if (widthNs >= bestWidthNs) continue;
      best = i;
      bestWidthNs = widthNs;
    }
    const rawNs = triples.rawBeforeNs[best] + BigInt(Math.floor(bestWidthNs / 2));
    // Half the bracket, and 1 ns for the rounding of each clock.
    const errorBoundNs = Math.ceil(bestWidthNs / 2) + 2;
    return { kernelRawNs: rawNs, rawNs, systemNs: triples.systemNs[best], errorBoundNs };
  }

  #timeAt(i: number): bigint {
    return this.#words[2 * i] * SECOND_NS_BIG + this.#words[2 * i + 1];
  }
}
