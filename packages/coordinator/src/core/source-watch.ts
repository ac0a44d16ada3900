/**
 * Watches one host's own source of time: its system clock, by its report, against its own raw clock.
 *
 * Problem: a time daemon may be wrong, or an administrator may set the clock; domain time must not
 * follow. But a daemon bends its clock every day, and that must be followed. What separates them,
 * with no other witness than the crystal, which stays as it was:
 *
 * - a *step* is instantaneous: the kernel slews at 500 ppm at most, so what moves by more than 600 ppm
 *   of a reading's distance was set. Smaller jumps pass for a slew and do no more harm than one;
 * - a *slew* is bounded in time, and afterwards the rate is what it was: domain time waits for its end
 *   (`inDoubt`) and then follows what is left. It has 6 s for that, 2 ms at 500 ppm among others;
 * - a *daemon's ordinary work* are lasting changes of a few ppm: up to 4 ppm a new rate is believed after
 *   the same 6 s;
 * - a *drift* is a rate more than 4 ppm off for more than 6 s.
 *
 * A correction of many milliseconds that takes minutes looks like a drift, and is taken for one: the
 * cost is a minute in which UTC is said to be free-running, while a drift that is believed moves
 * everybody. Standbys with sources of their own know better and outweigh this (`sources.ts`).
 *
 * It cannot see: a drift that sets in more slowly than the pace is learnt, some 4 ppm a minute.
 */
import type { SourceLine } from "@ttcs/protocol";

/** The pace of a new source counts as known after this (ms). */
const LEARN_MS = 20_000;
/** Share of a new reading of the pace that is believed: 25 s of memory. */
const PACE_GAIN = 0.02;
/** A rate this far from the known pace is waited for (ppb): ten times the noise of a reading. */
const DOUBT_PPB = 1_500;
/** A rate further off is a drift (ppb) ... */
const DRIFT_PPB = 4_000;
/** ... when it lasts for more than this (ns). */
const SLEW_NS_MAX = 6e9;
/** What the kernel slews in a time is less than this share of it. */
const STEP_SHARE = 600e-6;
/** Beyond such a silence a slew may have ended: then a step is what exceeds this share of the rest (ns). */
const SILENCE_NS = 2e9;
const SILENCE_MS = SILENCE_NS * 1e-6;
const SILENT_SHARE = 20e-6;

/** What a source did that is not followed. */
export interface Misdeed {
  readonly kind: "step" | "drift";
  /** How far the system clock has left its course (ns, positive: ahead). */
  readonly byNs: number;
  /** In words that go after "its clock". */
  readonly words: string;
}

/** See the module head. Times are the server's monotonic clock. */
export class SourceWatch {
  #last: SourceLine | undefined;
  #pacePpb = 0;
  #heardMs = Number.NaN;
  #sinceMs = Number.NaN;
  #awayNs = 0;
  #awayForNs = 0;

  /** True while the rate is not what it was, and it is not yet known why. */
  get inDoubt(): boolean {
    return this.#awayForNs > 0;
  }

  /** For how long it has been a steady, synchronised source (ms); 0 when it has not been heard of. */
  steadyForMs(nowMs: number): number {
    const isSilent = !(nowMs - this.#heardMs <= SILENCE_MS);
    return isSilent || Number.isNaN(this.#sinceMs) ? 0 : nowMs - this.#sinceMs;
  }

  /** Takes the line of a report; says what was done to the clock, if it was a misdeed. */
  take(source: SourceLine | undefined, nowMs: number): Misdeed | undefined {
    if (!source) {
      if (nowMs - this.#heardMs > SILENCE_MS) this.#last = undefined;
      return undefined;
    }
    const last = this.#last;
    // Who was silent has proved nothing meanwhile.
    if (nowMs - this.#heardMs > SILENCE_MS) this.#sinceMs = nowMs;
    this.#last = source;
    this.#heardMs = nowMs;
    if (source.steered || !last || last.steered || source.rawNs <= last.rawNs) {
      this.#begin(source, nowMs);
      return undefined;
    }
    if (!source.synchronised) this.#sinceMs = nowMs;
    const rawNs = Number(source.rawNs - last.rawNs);
    const gainedNs = Number(source.systemUnixNs - last.systemUnixNs) - rawNs;
    const awayNs = gainedNs - rawNs * this.#pacePpb * 1e-9;
    if (Math.abs(awayNs) > stepLimitNs(rawNs)) {
      const byNs = awayNs + this.#awayNs;
      this.#begin(source, nowMs);
      return { kind: "step", byNs, words: `stepped by ${signedTime(byNs)}` };
    }
    return this.#follow(awayNs, rawNs, nowMs);
  }

  #follow(awayNs: number, rawNs: number, nowMs: number): Misdeed | undefined {
    const awayPpb = (awayNs / rawNs) * 1e9;
    if (Math.abs(awayPpb) <= DOUBT_PPB) {
      this.#awayNs = 0;
      this.#awayForNs = 0;
      this.#pacePpb += PACE_GAIN * awayPpb;
      return undefined;
    }
    this.#awayNs += awayNs;
    this.#awayForNs += rawNs;
    if (this.#awayForNs <= SLEW_NS_MAX) return undefined;
    const byNs = this.#awayNs;
    const meanPpb = (byNs / this.#awayForNs) * 1e9;
    const isKnown = this.steadyForMs(nowMs) > LEARN_MS;
    this.#awayNs = 0;
    this.#awayForNs = 0;
    this.#pacePpb += awayPpb;
    if (Math.abs(meanPpb) <= DRIFT_PPB || Math.abs(awayPpb) <= DRIFT_PPB || !isKnown) {
      if (Math.abs(meanPpb) > DRIFT_PPB) this.#sinceMs = nowMs;
      return undefined;
    }
    this.#sinceMs = nowMs;
    const ppm = `${meanPpb < 0 ? "-" : "+"}${Math.abs(meanPpb / 1_000).toFixed(1)} ppm`;
    return { kind: "drift", byNs, words: `drifts by ${ppm}` };
  }

  #begin(source: SourceLine, nowMs: number): void {
    // After a step the crystal's pace is what it was; of a new source only its own word is known.
    if (Number.isNaN(this.#sinceMs) || source.steered) this.#pacePpb = source.freqPpb;
    this.#sinceMs = source.steered ? Number.NaN : nowMs;
    this.#awayNs = 0;
    this.#awayForNs = 0;
  }
}

function stepLimitNs(rawNs: number): number {
  const silentNs = Math.max(0, rawNs - SILENCE_NS);
  return STEP_SHARE * (rawNs - silentNs) + SILENT_SHARE * silentNs;
}

/** "+1.000 ms", "-3600.000 s". */
export function signedTime(ns: number): string {
  const size = Math.abs(ns);
  const text = size < 0.9995e9 ? `${(size / 1e6).toFixed(3)} ms` : `${(size / 1e9).toFixed(3)} s`;
  return `${ns < 0 ? "-" : "+"}${text}`;
}
