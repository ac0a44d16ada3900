/**
 * Keeps the newest trusted fit of every edge and checks what comes from outside.
 *
 * The owner's fit is preferred; an audit by the other end stands in when the owner has none. A fit
 * is fresh for a round and a half, so that one lost report does not tear the mesh.
 */
import type { EdgeFit } from "@ttcs/protocol";
import { FREQ_LIMIT_PPB, NEAR_LIMIT_NS, within } from "./inputs.ts";
import { pairKey } from "./mesh.ts";

/** A fit older than this is not used (ms on the server's monotonic clock): one and a half rounds. */
const FRESH_MS = 750;

/** Refusals of one report that are put into words. */
const REFUSALS_TOLD = 3;

interface Kept {
  readonly fit: EdgeFit;
  readonly atMs: number;
}

/** The newest fits of one domain. */
export class FitBook {
  readonly #fits = new Map<string, Kept>();

  /**
   * Takes the fits of one report.
   *
   * @param dealt keys of the edges that exist
   * @returns why fits were refused, a few at most: an end may only speak of its own edges
   */
  take(
    fits: readonly EdgeFit[],
    reporter: number,
    dealt: ReadonlySet<string>,
    nowMs: number,
  ): string[] {
    const refused: string[] = [];
    for (const fit of fits) {
      const exists = dealt.has(pairKey(fit.owner, fit.other));
      const problem = exists ? fitProblem(fit, reporter) : "there is no such edge";
      if (problem && refused.length < REFUSALS_TOLD) {
        refused.push(`fit ${fit.owner}-${fit.other}: ${problem}`);
      }
      if (!problem && !fit.distrust) this.#keep(fit, nowMs);
    }
    return refused;
  }

  /** All fits that are fresh. */
  fresh(nowMs: number): EdgeFit[] {
    const fresh: EdgeFit[] = [];
    for (const [key, kept] of this.#fits) {
      if (nowMs - kept.atMs <= FRESH_MS) fresh.push(kept.fit);
      else this.#fits.delete(key);
    }
    return fresh;
  }

  /** Forgets all fits of a host: its raw clock has a new zero. */
  forget(host: number): void {
    for (const [key, kept] of this.#fits) {
      if (kept.fit.owner === host || kept.fit.other === host) this.#fits.delete(key);
    }
  }

  #keep(fit: EdgeFit, nowMs: number): void {
    const key = pairKey(fit.owner, fit.other);
    const earlier = this.#fits.get(key);
    const ownerIsFresh = earlier && !earlier.fit.audit && nowMs - earlier.atMs <= FRESH_MS;
    if (fit.audit && ownerIsFresh) return;
    this.#fits.set(key, { fit, atMs: nowMs });
  }
}

function fitProblem(fit: EdgeFit, reporter: number): string | undefined {
  const speaker = fit.audit ? fit.other : fit.owner;
  if (speaker !== reporter) return "the reporter is not the end that it speaks for";
  if (fit.distrust) return undefined;
  if (!within(fit.midNs, NEAR_LIMIT_NS)) return `its middle is ${fit.midNs} ns from its base`;
  if (!within(fit.offsetNs, NEAR_LIMIT_NS)) return `an offset of ${fit.offsetNs} ns`;
  if (!within(fit.freqPpb, FREQ_LIMIT_PPB)) return `a frequency of ${fit.freqPpb} ppb`;
  const widths = [fit.offsetSigmaNs, fit.freqSigmaPpb, fit.belowBoundNs, fit.aboveBoundNs];
  if (!widths.every((w) => w >= 0 && w <= NEAR_LIMIT_NS)) return "an uncertainty out of range";
  return undefined;
}
