/**
 * Names another hand on the system clock.
 *
 * Two things betray it. The carry sees that the clock has jumped or runs at another rate without a
 * write of ours; and the kernel tells a frequency setting that is not the one we wrote. Either way
 * the stamps around the change are worthless, and people have to be told who did what.
 *
 * It cannot see: a change of rate below about 0.1 ppm, and who it was.
 */
import type { ForeignBreak } from "@ttcs/estimator";

/** A jump below this is what a change of rate looks like before it was noticed (ns). */
const STEP_NS_MIN = 20_000;
/** Rates that differ by less are not put into words (ppb). */
const RATE_PPB_MIN = 1_000;
/** A setting is ours when it differs by no more than the kernel's rounding (ppb). */
const SETTING_TOLERANCE_PPB = 1;
/** A setting is foreign when so many batches in a row show it. */
const BATCHES = 2;
/** Sigmas within which a change of rate is no news. */
const RATE_SIGMAS = 4;

/** What was done to the clock, in words. */
export function describeBreak(change: ForeignBreak): string {
  const parts: string[] = [];
  const { stepNs, rateChangePpb, rateSigmaPpb } = change;
  const rateMatters = Math.abs(rateChangePpb) > Math.max(RATE_PPB_MIN, RATE_SIGMAS * rateSigmaPpb);
  const seenLateNs = rateMatters ? Math.abs(rateChangePpb) * 0.1 : 0;
  if (Math.abs(stepNs) > STEP_NS_MIN + seenLateNs) parts.push(`stepped it by ${signedMs(stepNs)}`);
  if (rateMatters) parts.push(`changed its rate by ${signedPpm(rateChangePpb)}`);
  if (parts.length === 0) parts.push(`moved it by ${signedUs(stepNs)}`);
  return parts.join(" and ");
}

/** Compares the kernel's frequency setting with our own. */
export class SettingWatch {
  #strangeBatches = 0;

  /**
   * Looks at the setting that came with a batch.
   *
   * @param oursPpb the setting that we wrote last, or found at the start
   * @returns what was done, in words, once when it is certain
   */
  look(toldPpb: number, oursPpb: number): string | undefined {
    const strange = Math.abs(toldPpb - oursPpb) > SETTING_TOLERANCE_PPB;
    this.#strangeBatches = strange ? this.#strangeBatches + 1 : 0;
    if (this.#strangeBatches < BATCHES) return undefined;
    this.#strangeBatches = 0;
    return `set its frequency to ${signedPpm(toldPpb)} (we had set ${signedPpm(oursPpb)})`;
  }
}

const sign = (value: number): string => (value < 0 ? "-" : "+");
const signedPpm = (ppb: number): string => `${sign(ppb)}${(Math.abs(ppb) / 1000).toFixed(1)} ppm`;
const signedMs = (ns: number): string => `${sign(ns)}${(Math.abs(ns) / 1e6).toFixed(3)} ms`;
const signedUs = (ns: number): string => `${sign(ns)}${(Math.abs(ns) / 1000).toFixed(1)} us`;
