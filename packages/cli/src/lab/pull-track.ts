/**
 * How domain time follows the reference when the reference's own daemon slews its clock.
 *
 * Collects |domain - the reference's system clock| in truth over the time since the laboratory began
 * and says what it was before the slew, just after it, every 30 s from there, and how fast it shrank.
 */
import type { DaemonSlew } from "@ttcs/timestamper";

/** The distance is told this often after the slew (s). */
const EVERY_S = 30;
/** The rate is that of the last minute (s) during which the distance was above this (ns). */
const RATE_SPAN_S = 60;
const RATE_ABOVE_NS = 100_000;
/** Over less than this a rate says nothing (s). */
const RATE_SPAN_S_MIN = 5;

/** |domain - the reference's system clock| around the slew (ns); null: not seen. */
export interface ReferencePull {
  /** When the slew began and ended (s since the laboratory began). */
  readonly slew_from_s: number;
  readonly slew_to_s: number;
  readonly before_ns: number | null;
  readonly just_after_ns: number | null;
  /** Every 30 s after the end of the slew. */
  readonly later: readonly { readonly after_s: number; readonly ns: number }[];
  /** Rate at which it shrank, least squares over the last minute above 100 us (ns/s). */
  readonly shrink_ns_per_s: number | null;
}

/** See the module head. */
export class PullTrack {
  readonly #atS: number[] = [];
  readonly #ns: number[] = [];

  /** @param pullNs domain minus the reference's system clock, of either sign */
  add(atS: number, pullNs: number): void {
    this.#atS.push(atS);
    this.#ns.push(Math.abs(pullNs));
  }

  /** The figures around a slew; null when it has not been seen to end. */
  around({ atS, slewNs, ratePpb }: DaemonSlew): ReferencePull | null {
    const endS = atS + Math.abs(slewNs) / ratePpb;
    const after = this.#atS.findIndex((s) => s >= endS);
    if (after < 0) return null;
    const before = this.#atS.findLastIndex((s) => s < atS);
    const later: { after_s: number; ns: number }[] = [];
    for (let i = after, next = EVERY_S; i < this.#atS.length; i++) {
      if (this.#atS[i] < endS + next) continue;
      later.push({ after_s: next, ns: Math.round(this.#ns[i]) });
      next += EVERY_S;
    }
    const rate = this.#shrinkRate(after);
    return {
      slew_from_s: atS,
      slew_to_s: endS,
      before_ns: before < 0 ? null : Math.round(this.#ns[before]),
      just_after_ns: Math.round(this.#ns[after]),
      later,
      shrink_ns_per_s: rate === undefined ? null : Math.round(rate),
    };
  }

  #shrinkRate(from: number): number | undefined {
    const far = this.#atS.map((_, i) => i).filter((i) => i >= from && this.#ns[i] > RATE_ABOVE_NS);
    const lastS = this.#atS[far.at(-1) ?? -1];
    const used = far.filter((i) => this.#atS[i] >= lastS - RATE_SPAN_S);
    if (used.length < 3 || lastS - this.#atS[used[0]] < RATE_SPAN_S_MIN) return undefined;
    const mean = (of: (i: number) => number) => used.reduce((a, i) => a + of(i), 0) / used.length;
    const meanS = mean((i) => this.#atS[i]);
    const meanNs = mean((i) => this.#ns[i]);
    const cross = mean((i) => (this.#atS[i] - meanS) * (this.#ns[i] - meanNs));
    return -cross / mean((i) => (this.#atS[i] - meanS) ** 2);
  }
}
