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
import { pairKey, pairNumber } from "./mesh.ts";

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
  /** False once it went stale: whoever still has it must look for another. */
  isIn: boolean;
  /** The deal in which the edge was last found to exist. */
  dealt: ReadonlySet<string>;
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
  /** What each host spoke of last, in its order: it says the same again half a second later. */
  readonly #saidBy = new Map<number, (Kept | undefined)[]>();

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
    const said = this.#saidBy.get(reporter) ?? [];
    if (said.length === 0) this.#saidBy.set(reporter, said);
    said.length = fits.length;
    for (let i = 0; i < fits.length; i++) {
      const fit = fits[i];
      let kept = said[i];
      if (!kept?.isIn || kept.fit.owner !== fit.owner || kept.fit.other !== fit.other) {
        kept = this.#fits.get(pairNumber(fit.owner, fit.other));
      }
      const problem = this.#exists(kept, fit, dealt)
        ? fitProblem(fit, reporter)
        : "there is no such edge";
      if (problem && refused.length < REFUSALS_TOLD) {
        refused.push(`fit ${fit.owner}-${fit.other}: ${problem}`);
      }
      if (!problem && !fit.distrust) kept = this.#keep(kept, fit, dealt, nowMs);
      said[i] = kept;
    }
    return refused;
  }

  /** Without making text of two numbers for every fit of every round. */
  #exists(kept: Kept | undefined, fit: EdgeFit, dealt: ReadonlySet<string>): boolean {
    if (kept?.dealt === dealt) return true;
    if (!dealt.has(pairKey(fit.owner, fit.other))) return false;
    if (kept) kept.dealt = dealt;
    return true;
  }

  /** All fits that are fresh; good until the next report. */
  fresh(nowMs: number): MeshFit[] {
    const fresh: MeshFit[] = [];
    for (const [number, kept] of this.#fits) {
      if (nowMs - kept.atMs <= FRESH_MS) fresh.push(kept.fit);
      else this.#drop(number, kept);
    }
    return fresh;
  }

  /** Forgets all fits of a host: its raw clock has a new zero. */
  forget(host: number): void {
    this.#saidBy.delete(host);
    for (const [number, kept] of this.#fits) {
      if (kept.fit.owner === host || kept.fit.other === host) this.#drop(number, kept);
    }
  }

  #drop(number: number, kept: Kept): void {
    kept.isIn = false;
    this.#fits.delete(number);
  }

  #keep(earlier: Kept | undefined, fit: EdgeFit, dealt: ReadonlySet<string>, nowMs: number): Kept {
    if (!earlier) {
      const contestedMs = Number.NEGATIVE_INFINITY;
      const own = { isIn: true, dealt, audit: fit.audit, atMs: nowMs, contestedMs };
      const kept = { ...own, fit: copyOf(fit) };
      this.#fits.set(pairNumber(fit.owner, fit.other), kept);
      return kept;
    }
    const isFresh = nowMs - earlier.atMs <= FRESH_MS;
    if (isFresh && earlier.audit !== fit.audit) {
      const agree = intersect(earlier.fit, fit);
      earlier.contestedMs = agree ? Number.NEGATIVE_INFINITY : nowMs;
    }
    earlier.fit.contested = nowMs - earlier.contestedMs < CONTESTED_MS;
    if (fit.audit && isFresh && !earlier.audit) return earlier;
    copyInto(earlier.fit, fit);
    earlier.audit = fit.audit;
    earlier.atMs = nowMs;
    return earlier;
  }
}

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
