/**
 * The host's real clocks, and the only three calls of the product that change a clock.
 *
 * Approach: clock_adjtime(2). Frequency steers, ADJ_SETOFFSET steps, and the error fields tell the
 * host's other programs how far to trust the clock. The kernel's own loops (STA_PLL, STA_FLL) are
 * switched off whenever the status is written: two hands on one clock would fight.
 *
 * Assumptions: CAP_SYS_TIME is held for the three calls. Units and limits are those of
 * kernel/time/ntp.c: frequency in 2^-16 ppm within +-500 ppm, errors in microseconds. maxerror grows
 * by 500 us per second, so `setErrors` is called about once a second; a step sets STA_UNSYNC and the
 * largest errors, so it is called again after each.
 *
 * What it cannot see: other programs that write the same fields. Their effect shows in the triples.
 */
import { assert, SECOND_NS } from "@ttcs/units";
import type { ClockReading, ClockStatus, SystemClock, TripleColumns } from "../types.ts";
import { KernelClockReader } from "./clock-reader.ts";
import {
  ADJ_ESTERROR,
  ADJ_FREQUENCY,
  ADJ_MAXERROR,
  ADJ_NANO,
  ADJ_READ_ONLY,
  ADJ_SETOFFSET,
  ADJ_STATUS,
  ADJ_TICK,
  CLOCK_REALTIME,
  STA_FLL,
  STA_PLL,
  STA_UNSYNC,
  TIMEX,
} from "./layouts.ts";
import { checked, libc, Memory } from "./libc.ts";

/** The kernel's limit of the frequency setting (ppb). */
export const FREQUENCY_LIMIT_PPB = 500_000;
/** Kernel units per ppb: 2^16 per ppm. */
const UNITS_PER_PPB = 65.536;
/** Length of a tick at the nominal rate (us), and what one us more does to the rate (ppb). */
const NOMINAL_TICK_US = 10_000;
const PPB_PER_TICK_US = 100_000;
const NS_PER_US = 1000;
/** The kernel caps its errors here (us): 16 s means "unknown". */
const ERROR_LIMIT_US = 16_000_000;
const NEEDS_CAPABILITY = "the agent needs CAP_SYS_TIME to steer the clock, or correct_clock: false";
const CANNOT_READ = "the kernel does not tell its clock's state; a sandbox may forbid the call";

/** The fields of one timex call; see `putTimex`. */
export interface TimexFields {
  readonly modes: number;
  /** Frequency (kernel units, 2^-16 ppm). */
  readonly freq?: number;
  readonly maxErrorUs?: number;
  readonly estErrorUs?: number;
  readonly status?: number;
  /** A step: whole seconds, rounded down, and 0 to 999 999 999 ns on top. */
  readonly stepSeconds?: number;
  readonly stepNanoseconds?: number;
  readonly tickUs?: number;
}

/** Writes the fields of a struct timex at the start of `view`, and zeros elsewhere. */
export function putTimex(view: DataView, fields: TimexFields): void {
  new Uint8Array(view.buffer, view.byteOffset, TIMEX.size).fill(0);
  view.setUint32(TIMEX.modes, fields.modes, true);
  putLong(view, TIMEX.freq, fields.freq);
  putLong(view, TIMEX.maxError, fields.maxErrorUs);
  putLong(view, TIMEX.estError, fields.estErrorUs);
  view.setInt32(TIMEX.status, fields.status ?? 0, true);
  putLong(view, TIMEX.timeSeconds, fields.stepSeconds);
  putLong(view, TIMEX.timeFraction, fields.stepNanoseconds);
  putLong(view, TIMEX.tick, fields.tickUs);
}

/** The call that sets a frequency (ppb, within +-500 000); the tick is set to its nominal length. */
export function frequencyFields(freqPpb: number): TimexFields {
  const inRange = Math.abs(freqPpb) <= FREQUENCY_LIMIT_PPB;
  assert(inRange, "a frequency is within 500 ppm");
  const freq = Math.round(freqPpb * UNITS_PER_PPB);
  return { modes: ADJ_FREQUENCY | ADJ_TICK, freq, tickUs: NOMINAL_TICK_US };
}

/** The call that moves the clock by `stepNs` (rounded to whole ns). */
export function stepFields(stepNs: number): TimexFields {
  assert(Number.isFinite(stepNs), "a step is a finite number");
  const whole = Math.round(stepNs);
  const stepSeconds = Math.floor(whole / SECOND_NS);
  const stepNanoseconds = whole - stepSeconds * SECOND_NS;
  return { modes: ADJ_SETOFFSET | ADJ_NANO, stepSeconds, stepNanoseconds };
}

/** The call that tells the errors (ns, rounded up to us); `status` is what the kernel has now. */
export function errorFields(
  maxErrorNs: number,
  estErrorNs: number,
  synchronised: boolean,
  status: number,
): TimexFields {
  const kept = status & ~(STA_PLL | STA_FLL | STA_UNSYNC);
  return {
    modes: ADJ_MAXERROR | ADJ_ESTERROR | ADJ_STATUS,
    maxErrorUs: errorUs(maxErrorNs),
    estErrorUs: errorUs(estErrorNs),
    status: synchronised ? kept : kept | STA_UNSYNC,
  };
}

/** What a filled struct timex says. */
export function statusOf(view: DataView): ClockStatus {
  const tickUs = Number(view.getBigInt64(TIMEX.tick, true));
  const freq = Number(view.getBigInt64(TIMEX.freq, true));
  return {
    freqPpb: freq / UNITS_PER_PPB + (tickUs - NOMINAL_TICK_US) * PPB_PER_TICK_US,
    maxErrorNs: Number(view.getBigInt64(TIMEX.maxError, true)) * NS_PER_US,
    estErrorNs: Number(view.getBigInt64(TIMEX.estError, true)) * NS_PER_US,
    synchronised: (view.getInt32(TIMEX.status, true) & STA_UNSYNC) === 0,
  };
}

/** The host's own clocks. */
export class KernelSystemClock implements SystemClock {
  readonly #reader = new KernelClockReader();
  readonly #timex = new Memory(TIMEX.size);

  readTriples(count: number, out: TripleColumns): void {
    this.#reader.readTriples(count, out);
  }

  read(): ClockReading {
    return this.#reader.read();
  }

  readStatus(): ClockStatus {
    this.#adjtime({ modes: ADJ_READ_ONLY }, CANNOT_READ);
    return statusOf(this.#timex.view);
  }

  adjustFrequency(freqPpb: number): bigint {
    const fields = frequencyFields(freqPpb);
    const rawNs = this.#reader.readRaw();
    this.#adjtime(fields, NEEDS_CAPABILITY);
    return rawNs;
  }

  step(stepNs: number): bigint {
    const fields = stepFields(stepNs);
    const rawNs = this.#reader.readRaw();
    this.#adjtime(fields, NEEDS_CAPABILITY);
    return rawNs;
  }

  setErrors(maxErrorNs: number, estErrorNs: number, synchronised: boolean): void {
    this.#adjtime({ modes: ADJ_READ_ONLY }, CANNOT_READ);
    const status = this.#timex.view.getInt32(TIMEX.status, true);
    this.#adjtime(errorFields(maxErrorNs, estErrorNs, synchronised, status), NEEDS_CAPABILITY);
  }

  close(): void {
    // Nothing is held open: a clock is no file.
  }

  #adjtime(fields: TimexFields, advice: string): void {
    putTimex(this.#timex.view, fields);
    checked(libc.clockAdjtime(CLOCK_REALTIME, this.#timex.address), "clock_adjtime", advice);
  }
}

function errorUs(errorNs: number): number {
  assert(errorNs >= 0, "an error is not negative");
  return Math.min(ERROR_LIMIT_US, Math.ceil(errorNs / NS_PER_US));
}

function putLong(view: DataView, at: number, value: number | undefined): void {
  view.setBigInt64(at, BigInt(value ?? 0), true);
}
