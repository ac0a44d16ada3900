/**
 * The coded-pair filter: which probes of a window met no queue.
 *
 * Problem: a probe that waited in a queue says nothing about the clocks, and one alone cannot tell
 * that it waited. Approach: probes travel in pairs. A pair whose gap on arrival equals its gap on
 * sending passed untouched; gap error g = (rx1 - rx0) - (tx1 - tx0). A pair is kept when |g| is at
 * most epsilon.
 *
 * Epsilon adapts to the window, because a fixed one does not travel from NIC stamps (20 ns) to
 * kernel stamps (microseconds): it lets pass the best `KEPT_SHARE`, at least `MIN_PAIRS`. The share
 * is wide on measured grounds. On synthetic windows (kernel and NIC stamps, idle to 90 % load, 40
 * and 200 pairs a direction) the fit behind, which follows low quantiles, had about half the error
 * with 80 % of the pairs that it had with 30 %: it deals with late probes by itself, and a pair
 * with one late probe still holds a good one. Keeping all was no worse there; the worst fifth is
 * dropped for what the models lack, stamps that are wrong rather than late.
 *
 * With kernel stamps the first probe of a pair wakes the receiver and is 1 to 3 us late, so nearly
 * all gap errors have one sign. Then only the faster member of each pair is kept: fewer, but
 * cleaner points (a quarter less error when idle, a ninth of it where most pairs wait).
 *
 * Source: Geng et al., "Exploiting a Natural Network Effect for Scalable, Fine-grained Clock
 * Synchronization", NSDI 2018 (coded probes).
 *
 * Cannot see: two probes of a pair that waited equally long. The fit behind is robust to those.
 */
import { grown, selectKth } from "./quantile.ts";

/** Stamps count whole nanoseconds: a gap error below this says nothing (ns). */
const GAP_RESOLUTION_NS = 2;
/** With fewer complete pairs single probes are used; fewer kept ones are no basis for a fit. */
export const MIN_PAIRS = 10;
/** Share of the complete pairs that is kept. */
const KEPT_SHARE = 0.8;
/** Share of gap errors with one sign that makes one member of the pairs the faster one. */
const ONE_SIDED_SHARE = 0.75;

/**
 * The paper's filter: epsilon from the gap errors of the best tenth, of pairs that surely met
 * nothing, times so much; both probes of a pair are kept.
 */
const PAPER_BEST_SHARE = 0.1;
const PAPER_EPSILON_MEDIANS = 3;

/** Which filter: the one described above, or the paper's. */
export type PurityRule = "wide" | "paper";

/** Relative stamps beyond 104 days are not exact any more, and never honest (ns). */
const STAMP_LIMIT_NS = 2 ** 53;

/** Members of a pair, as a set of bits. */
const FIRST = 1;
const SECOND = 2;
const BOTH = FIRST | SECOND;

/**
 * Probes of one direction, sorted by probe number; the first `length` entries count. Probes 2p and
 * 2p + 1 make pair p.
 */
export interface ProbeColumns {
  length: number;
  probe: Float64Array;
  /** Sent, on the sender's raw clock relative to its base (ns; NaN: unknown). */
  txNs: Float64Array;
  /** Received, on the receiver's raw clock relative to its base (ns; NaN: unknown). */
  rxNs: Float64Array;
}

/** What the filter kept. Columns are grown as needed and reused. */
export interface PureSelection {
  /** Probes kept. */
  length: number;
  txNs: Float64Array;
  rxNs: Float64Array;
  /** Probes with two usable stamps. */
  usableCount: number;
  /** Pairs with both probes, and how many of them were kept. */
  pairCount: number;
  keptPairCount: number;
  /** Largest gap error accepted (ns); 0 when single probes were used. */
  epsilonNs: number;
  /** Median of the gap errors' magnitudes (ns); 0 when single probes were used. */
  gapMedianNs: number;
}

/** An empty selection, to be handed to `selectPure` again and again. */
export const newSelection = (): PureSelection => ({
  length: 0,
  txNs: new Float64Array(0),
  rxNs: new Float64Array(0),
  usableCount: 0,
  pairCount: 0,
  keptPairCount: 0,
  epsilonNs: 0,
  gapMedianNs: 0,
});

let gapNs: Float64Array = new Float64Array(0);
let scratch: Float64Array = new Float64Array(0);
/** Index of the first probe of each complete pair. */
let firstAt: Int32Array = new Int32Array(0);

/** Fills `out` with the probes of `columns` that met no queue. Allocates only to grow. */
export function selectPure(
  columns: ProbeColumns,
  out: PureSelection,
  rule: PurityRule = "wide",
): void {
  const count = columns.length;
  gapNs = grown(gapNs, count);
  scratch = grown(scratch, count);
  if (firstAt.length < count) firstAt = new Int32Array(gapNs.length);
  out.txNs = grown(out.txNs, count);
  out.rxNs = grown(out.rxNs, count);
  out.length = 0;
  out.keptPairCount = 0;
  findPairs(columns, out);
  setEpsilon(out, rule);
  if (out.pairCount < MIN_PAIRS) {
    for (let i = 0; i < count; i++) if (usable(columns, i)) keep(columns, i, out);
    return;
  }
  const members = rule === "paper" ? BOTH : fasterMembers(out.pairCount);
  for (let p = 0; p < out.pairCount; p++) {
    if (Math.abs(gapNs[p]) > out.epsilonNs) continue;
    out.keptPairCount++;
    if ((members & FIRST) !== 0) keep(columns, firstAt[p], out);
    if ((members & SECOND) !== 0) keep(columns, firstAt[p] + 1, out);
  }
}

/** Counts usable probes and lists the gap errors of the complete pairs. */
function findPairs(columns: ProbeColumns, out: PureSelection): void {
  const { probe, txNs, rxNs } = columns;
  out.usableCount = 0;
  out.pairCount = 0;
  for (let i = 0; i < columns.length; i++) {
    if (!usable(columns, i)) continue;
    out.usableCount++;
    const second = i + 1;
    const paired = second < columns.length && probe[i] % 2 === 0 && probe[second] === probe[i] + 1;
    if (!paired || !usable(columns, second)) continue;
    gapNs[out.pairCount] = rxNs[second] - rxNs[i] - (txNs[second] - txNs[i]);
    firstAt[out.pairCount++] = i;
  }
}

/** False for NaN, a stamp that could not be carried, and for what a double holds inexactly. */
function usable(columns: ProbeColumns, i: number): boolean {
  return Math.abs(columns.txNs[i]) < STAMP_LIMIT_NS && Math.abs(columns.rxNs[i]) < STAMP_LIMIT_NS;
}

function setEpsilon(out: PureSelection, rule: PurityRule): void {
  const pairs = out.pairCount;
  out.epsilonNs = 0;
  out.gapMedianNs = 0;
  if (pairs < MIN_PAIRS) return;
  for (let p = 0; p < pairs; p++) scratch[p] = Math.abs(gapNs[p]);
  if (rule === "paper") {
    const best = Math.max(1, Math.ceil(PAPER_BEST_SHARE * pairs));
    const least = selectKth(scratch, pairs, MIN_PAIRS - 1);
    const epsilonNs = PAPER_EPSILON_MEDIANS * selectKth(scratch, pairs, best >> 1);
    out.epsilonNs = Math.max(GAP_RESOLUTION_NS, least, epsilonNs);
  } else {
    const wanted = Math.max(MIN_PAIRS, Math.ceil(KEPT_SHARE * pairs));
    out.epsilonNs = Math.max(GAP_RESOLUTION_NS, selectKth(scratch, pairs, wanted - 1));
  }
  out.gapMedianNs = selectKth(scratch, pairs, pairs >> 1);
}

/** Which members of the pairs to keep: the systematically faster one, or both. */
function fasterMembers(pairs: number): number {
  let shrunk = 0;
  let stretched = 0;
  for (let p = 0; p < pairs; p++) {
    if (gapNs[p] < 0) shrunk++;
    else if (gapNs[p] > 0) stretched++;
  }
  if (shrunk > ONE_SIDED_SHARE * pairs) return SECOND;
  if (stretched > ONE_SIDED_SHARE * pairs) return FIRST;
  return BOTH;
}

function keep(columns: ProbeColumns, i: number, out: PureSelection): void {
  out.txNs[out.length] = columns.txNs[i];
  out.rxNs[out.length++] = columns.rxNs[i];
}
