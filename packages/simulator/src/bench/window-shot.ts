/**
 * One window of one edge as a picture wants it: points of both directions, and the fitted lines.
 *
 * Everything is told against the line that was fitted by ours, so that nanoseconds are seen on a
 * clock that runs away by microseconds a second.
 */
import type { EdgeFit } from "@ttcs/protocol";
import { WINDOW_NS } from "@ttcs/units";
import type { TracePlan } from "../replay/plan.ts";
import type { ClosedRound } from "../replay/replay.ts";

/** See the module head. Values are ns above ours, instants s since the window's first point. */
export interface WindowShot {
  readonly from: string;
  readonly to: string;
  readonly upperS: number[];
  readonly upperNs: number[];
  readonly lowerS: number[];
  readonly lowerNs: number[];
  /** Points of the ones above that met no queue, where it is known: 1. */
  readonly upperClean: number[];
  readonly lowerClean: number[];
  /** Smallest delays that were fitted, as levels (ns): above, and below (negative). */
  readonly upperLevelNs: number;
  readonly lowerLevelNs: number;
  /** Other lines: their name and value at the window's ends (ns). */
  readonly lines: { readonly name: string; readonly startNs: number; readonly endNs: number }[];
}

interface Row {
  readonly forward: boolean;
  readonly ownerNs: number;
  readonly otherNs: number;
  readonly clean: boolean;
}

/**
 * By how much the reference's clock is ahead of what it truly shows when host `other` shows
 * `otherNs`, if it is said to show `referenceNs` then (both ns since their zeros); NaN: not known.
 */
export type AheadOfTruth = (other: number, otherNs: number, referenceNs: number) => number;

/** Rows are kept for so long (ns of the owner's clock): a window, and what may be under way. */
const KEPT_NS = 2 * WINDOW_NS;

/** Watches the first edge of a plan. */
export class WindowPicture {
  readonly #plan: TracePlan;
  readonly #zeros: readonly bigint[];
  readonly #atS: number;
  #rows: Row[] = [];
  #startRefNs: bigint | undefined;
  #kept: { readonly rows: readonly Row[]; readonly fit: EdgeFit } | undefined;
  #isKept = false;
  readonly #others = new Map<string, EdgeFit>();

  /** @param atS time since the first round after which the next window is drawn (s) */
  constructor(plan: TracePlan, zeros: readonly bigint[], atS: number) {
    this.#plan = plan;
    this.#zeros = zeros;
    this.#atS = atS;
  }

  /** Takes a row; stamps in ns since the zeros. */
  row(from: number, to: number, txNs: number, rxNs: number, clean: boolean): void {
    const [owner, other] = this.#plan.edges[0] ?? [-1, -1];
    const forward = from === owner && to === other;
    if (this.#isKept || !(forward || (from === other && to === owner))) return;
    const [ownerNs, otherNs] = forward ? [txNs, rxNs] : [rxNs, txNs];
    if (this.#rows.length > 0 && ownerNs - this.#rows[0].ownerNs > 2 * KEPT_NS) {
      this.#rows = this.#rows.filter((row) => ownerNs - row.ownerNs < KEPT_NS);
    }
    this.#rows.push({ forward, ownerNs, otherNs, clean });
  }

  /** Looks at a round of one contestant. */
  round(name: string, { closeRefRawNs, fits }: ClosedRound): void {
    this.#startRefNs ??= closeRefRawNs;
    const [owner, other] = this.#plan.edges[0] ?? [-1, -1];
    const fit = fits.find((each) => each.owner === owner + 1 && each.other === other + 1);
    if (!fit || fit.distrust) return;
    // Until then the newest is kept: a recording may be short.
    const isTime = Number(closeRefRawNs - this.#startRefNs) * 1e-9 >= this.#atS;
    if (name === "ours" && !this.#isKept) {
      this.#kept = { rows: [...this.#rows], fit };
      this.#isKept = isTime;
    } else if (name !== "ours" && isTime && !this.#others.has(name)) this.#others.set(name, fit);
  }

  /** The picture; undefined when no window was trusted. */
  shot(referenceError?: AheadOfTruth): WindowShot | undefined {
    if (!this.#kept) return undefined;
    const { rows, fit } = this.#kept;
    const [owner, other] = this.#plan.edges[0];
    // The base of a fit is where its window begins.
    const startNs = this.#since(fit.ownerBaseRawNs, owner);
    const ours = this.#line(fit, owner, other);
    const shot: WindowShot = {
      from: this.#plan.hosts[owner].id,
      to: this.#plan.hosts[other].id,
      upperS: [],
      upperNs: [],
      lowerS: [],
      lowerNs: [],
      upperClean: [],
      lowerClean: [],
      upperLevelNs: fit.delayForwardNsMin,
      lowerLevelNs: -fit.delayReverseNsMin,
      lines: [],
    };
    for (const { forward, ownerNs, otherNs, clean } of rows) {
      if (ownerNs < startNs || ownerNs > startNs + WINDOW_NS) continue;
      (forward ? shot.upperS : shot.lowerS).push((ownerNs - startNs) * 1e-9);
      (forward ? shot.upperNs : shot.lowerNs).push(otherNs - ownerNs - ours(ownerNs));
      (forward ? shot.upperClean : shot.lowerClean).push(clean ? 1 : 0);
    }
    const add = (name: string, aboveNs: (ownerNs: number) => number) => {
      const [startsAt, endsAt] = [startNs, startNs + WINDOW_NS].map(aboveNs);
      if (!Number.isFinite(startsAt + endsAt)) return;
      shot.lines.push({ name, startNs: startsAt, endNs: endsAt });
    };
    for (const [name, each] of this.#others) {
      const line = this.#line(each, owner, other);
      add(name, (ns) => line(ns) - ours(ns));
    }
    if (referenceError && owner === this.#plan.reference) {
      add("truth", (ns) => referenceError(other, ns + ours(ns), ns));
    }
    return shot;
  }

  /** The offset (other minus owner, since their zeros) on the owner's clock, as a fit says. */
  #line(fit: EdgeFit, owner: number, other: number): (ownerNs: number) => number {
    const ownerBaseNs = this.#since(fit.ownerBaseRawNs, owner);
    const otherBaseNs = this.#since(fit.otherBaseRawNs, other);
    const atMidNs = fit.offsetNs + otherBaseNs - ownerBaseNs;
    return (ns) => atMidNs + fit.freqPpb * 1e-9 * (ns - ownerBaseNs - fit.midNs);
  }

  #since(rawNs: bigint, host: number): number {
    return Number(rawNs - this.#zeros[host]);
  }
}
