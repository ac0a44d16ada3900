/**
 * Keeps the newest trusted fit of every edge and checks what comes from outside.
 *
 * The owner's fit is preferred; an audit by the other end stands in when the owner has none. A fit
 * is fresh for a round and a half, so that one lost report does not tear the mesh.
 *
 * What the solve needs of a message is copied as it arrives, into a record that its edge has for
 * good: a message is a dictionary to the engine, and reading tens of thousands of them would be a
 * third of a round. The order of edges stays as long as none goes stale.
 *
 * Both ends hold the same stamps, and each says between which values the offset surely lies. Where
 * the owner's interval and an audit's have nothing in common, one of the two ends lies about the
 * edge; it is marked as contested until an audit agrees again. Which end lies the edge cannot tell.
 */
import type { EdgeFit } from "@ttcs/protocol";
import { FREQ_LIMIT_PPB, NEAR_LIMIT_NS, within } from "./inputs.ts";
import { pairKey } from "./mesh.ts";

/** A fit older than this is not used (ms on the server's monotonic clock): one and a half rounds. */
const FRESH_MS = 750;

/** A contradicting audit counts until the next has surely come: one window in ten, and one lost (ms). */
const CONTESTED_MS = 10_500;

/** Refusals of one report that are put into words. */
const REFUSALS_TOLD = 3;

/** What the solve needs of a fit; see the message for signs and units. */
export type MeshFit = Pick<
  EdgeFit,
  | "owner"
  | "other"
  | "ownerBaseRawNs"
  | "otherBaseRawNs"
  | "midNs"
  | "offsetNs"
  | "freqPpb"
  | "offsetSigmaNs"
  | "slowSigmaNs"
  | "ownerCarrySigmaNs"
  | "otherCarrySigmaNs"
  | "freqSigmaPpb"
  | "belowBoundNs"
  | "aboveBoundNs"
  | "delayForwardNsMin"
  | "delayReverseNsMin"
> & {
  /** True: the other end's audit excludes what the owner says. */
  contested?: boolean;
};

interface Kept {
  /** The pair's, as the mesh was dealt. */
  readonly key: string;
  readonly fit: MeshFit;
  audit: boolean;
  atMs: number;
  /** When an audit last contradicted the owner (ms); -Infinity: the last one did not. */
  contestedMs: number;
}

/** The newest fits of one domain. */
export class FitBook {
  /** By `pairNumber`. */
  readonly #fits = new Map<number, Kept>();

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
      const number = pairNumber(fit.owner, fit.other);
      const kept = this.#fits.get(number);
      // Without making text of two numbers for every fit of every round.
      const key = kept?.key ?? pairKey(fit.owner, fit.other);
      const exists = dealt.has(key);
      const problem = exists ? fitProblem(fit, reporter) : "there is no such edge";
      if (problem && refused.length < REFUSALS_TOLD) {
        refused.push(`fit ${fit.owner}-${fit.other}: ${problem}`);
      }
      if (!problem && !fit.distrust) this.#keep(kept, number, key, fit, nowMs);
    }
    return refused;
  }

  /** All fits that are fresh; good until the next report. */
  fresh(nowMs: number): MeshFit[] {
    const fresh: MeshFit[] = [];
    for (const [number, kept] of this.#fits) {
      if (nowMs - kept.atMs <= FRESH_MS) fresh.push(kept.fit);
      else this.#fits.delete(number);
    }
    return fresh;
  }

  /** Forgets all fits of a host: its raw clock has a new zero. */
  forget(host: number): void {
    for (const [number, kept] of this.#fits) {
      if (kept.fit.owner === host || kept.fit.other === host) this.#fits.delete(number);
    }
  }

  #keep(earlier: Kept | undefined, number: number, key: string, fit: EdgeFit, nowMs: number): void {
    if (!earlier) {
      const contestedMs = Number.NEGATIVE_INFINITY;
      const kept = { key, fit: copyOf(fit), audit: fit.audit, atMs: nowMs, contestedMs };
      this.#fits.set(number, kept);
      return;
    }
    const isFresh = nowMs - earlier.atMs <= FRESH_MS;
    if (isFresh && earlier.audit !== fit.audit) {
      const agree = intersect(earlier.fit, fit);
      earlier.contestedMs = agree ? Number.NEGATIVE_INFINITY : nowMs;
    }
    earlier.fit.contested = nowMs - earlier.contestedMs < CONTESTED_MS;
    if (fit.audit && isFresh && !earlier.audit) return;
    copyInto(earlier.fit, fit);
    earlier.audit = fit.audit;
    earlier.atMs = nowMs;
  }
}

/** A number for an unordered pair: exact for any hosts there can be, another for those there cannot. */
const pairNumber = (a: number, b: number): number => (a < b ? a * 2 ** 32 + b : b * 2 ** 32 + a);

/** True when what two ends say of their edge can both be right. */
function intersect(a: MeshFit, b: MeshFit): boolean {
  if (a.owner !== b.owner || a.other !== b.other) return true;
  // Both at the middle of the first, on the owner's raw clock: differences of instants in whole ns.
  const awayNs = Number(a.ownerBaseRawNs - b.ownerBaseRawNs) + a.midNs - b.midNs;
  const basesNs = Number(
    b.otherBaseRawNs - b.ownerBaseRawNs - (a.otherBaseRawNs - a.ownerBaseRawNs),
  );
  const bentNs = Math.abs(awayNs) * 1e-9 * (a.freqSigmaPpb + b.freqSigmaPpb) * 4;
  const apartNs = basesNs + b.offsetNs + b.freqPpb * 1e-9 * awayNs - a.offsetNs;
  return (
    apartNs <= a.aboveBoundNs + b.belowBoundNs + bentNs &&
    -apartNs <= a.belowBoundNs + b.aboveBoundNs + bentNs
  );
}

function copyOf(fit: EdgeFit): MeshFit {
  const { owner, other, ownerBaseRawNs, otherBaseRawNs, midNs, offsetNs, freqPpb } = fit;
  const { offsetSigmaNs, slowSigmaNs, freqSigmaPpb, belowBoundNs, aboveBoundNs } = fit;
  const { delayForwardNsMin, delayReverseNsMin, ownerCarrySigmaNs, otherCarrySigmaNs } = fit;
  return {
    owner,
    other,
    ownerBaseRawNs,
    otherBaseRawNs,
    midNs,
    offsetNs,
    freqPpb,
    offsetSigmaNs,
    slowSigmaNs,
    ownerCarrySigmaNs,
    otherCarrySigmaNs,
    freqSigmaPpb,
    belowBoundNs,
    aboveBoundNs,
    delayForwardNsMin,
    delayReverseNsMin,
    contested: false,
  };
}

function copyInto(to: MeshFit, fit: EdgeFit): void {
  to.owner = fit.owner;
  to.other = fit.other;
  to.ownerBaseRawNs = fit.ownerBaseRawNs;
  to.otherBaseRawNs = fit.otherBaseRawNs;
  to.midNs = fit.midNs;
  to.offsetNs = fit.offsetNs;
  to.freqPpb = fit.freqPpb;
  to.offsetSigmaNs = fit.offsetSigmaNs;
  to.slowSigmaNs = fit.slowSigmaNs;
  to.ownerCarrySigmaNs = fit.ownerCarrySigmaNs;
  to.otherCarrySigmaNs = fit.otherCarrySigmaNs;
  to.freqSigmaPpb = fit.freqSigmaPpb;
  to.belowBoundNs = fit.belowBoundNs;
  to.aboveBoundNs = fit.aboveBoundNs;
  to.delayForwardNsMin = fit.delayForwardNsMin;
  to.delayReverseNsMin = fit.delayReverseNsMin;
}

function fitProblem(fit: EdgeFit, reporter: number): string | undefined {
  const speaker = fit.audit ? fit.other : fit.owner;
  if (speaker !== reporter) return "the reporter is not the end that it speaks for";
  if (fit.distrust) return undefined;
  if (!within(fit.midNs, NEAR_LIMIT_NS)) return `its middle is ${fit.midNs} ns from its base`;
  if (!within(fit.offsetNs, NEAR_LIMIT_NS)) return `an offset of ${fit.offsetNs} ns`;
  if (!within(fit.freqPpb, FREQ_LIMIT_PPB)) return `a frequency of ${fit.freqPpb} ppb`;
  // A delay may be a little below 0 against the fitted line; its square must stay a number.
  for (const delayNs of [fit.delayForwardNsMin, fit.delayReverseNsMin]) {
    if (!within(delayNs, NEAR_LIMIT_NS)) return `a delay of ${delayNs} ns`;
  }
  const sound =
    isWidth(fit.offsetSigmaNs) &&
    isWidth(fit.slowSigmaNs) &&
    isWidth(fit.ownerCarrySigmaNs) &&
    isWidth(fit.otherCarrySigmaNs) &&
    isWidth(fit.freqSigmaPpb) &&
    isWidth(fit.belowBoundNs) &&
    isWidth(fit.aboveBoundNs);
  return sound ? undefined : "an uncertainty out of range";
}

const isWidth = (w: number): boolean => w >= 0 && w <= NEAR_LIMIT_NS;
