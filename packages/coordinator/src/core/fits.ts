/**
 * Keeps the newest trusted fit of every edge and checks what comes from outside.
 *
 * The owner's fit is preferred; an audit by the other end stands in when the owner has none. A fit
 * is fresh for a round and a half, so that one lost report does not tear the mesh.
 */
import type { EdgeFit } from "@ttcs/protocol";
import { pairKey } from "./mesh.ts";

/** A fit older than this is not used (ms on the server's monotonic clock): one and a half rounds. */
const FRESH_MS = 750;
/** No pair of crystals is further apart (ppb). */
const FREQ_LIMIT_PPB = 1_000_000;

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
   * @returns one line for each fit that was refused: an end may only speak of its own edges
   */
  take(fits: readonly EdgeFit[], reporter: number, nowMs: number): string[] {
    const refused: string[] = [];
    for (const fit of fits) {
      const problem = fitProblem(fit, reporter);
      if (problem) refused.push(`fit ${fit.owner}-${fit.other} from ${reporter}: ${problem}`);
      else if (!fit.distrust) this.#keep(fit, nowMs);
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
  if (fit.owner === fit.other) return "both ends are the same host";
  if (fit.distrust) return undefined;
  const numbers = [fit.midNs, fit.offsetNs, fit.freqPpb];
  if (!numbers.every(Number.isFinite)) return "a value is not finite";
  if (Math.abs(fit.freqPpb) > FREQ_LIMIT_PPB) return `frequency ${fit.freqPpb} ppb`;
  const widths = [fit.offsetSigmaNs, fit.freqSigmaPpb, fit.belowBoundNs, fit.aboveBoundNs];
  if (!widths.every((w) => Number.isFinite(w) && w >= 0)) return "an uncertainty is negative";
  return undefined;
}
