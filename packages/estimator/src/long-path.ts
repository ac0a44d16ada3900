/**
 * The probes of a long path that met no burst.
 *
 * Problem: between regions most probes wait for milliseconds and a few for microseconds. A model of
 * all delays has bins as wide as their spread, and what the few tell drowns in them: 3 us where they
 * alone know 40 ns (congested path of the simulator, one edge, windows of 2 s).
 *
 * Approach: two sieves. Coded pairs: in front of a growing or a draining queue a pair is torn apart or
 * pushed together; one whose gap survived met neither (Geng et al., NSDI 2018), or one of each, so that
 * what they did cancels. Therefore the least delays besides: of those pairs, delays further above their
 * least one than four times their lowest tenth are left out. The rate between the clocks has to be known
 * for that to some 100 ppb, from the window before; a new edge has the first sieve alone. The edge is
 * followed by what is left as any other. Both directions are cut above their own least delay, so that
 * an error of the offset moves neither against the other.
 *
 * It cannot see: a pair that waited in a queue that stood still.
 */
import { newSelection, type ProbeColumns, selectPure } from "./pairs.ts";
import { grown, selectKth } from "./quantile.ts";

/** Delays up to so many times the distance of this share's quantile from the least are kept. */
const LOW_SHARE = 0.1;
const REACH = 4;
/** A reach is at least this: access lines alone spread delays by as much (ns). */
const REACH_NS_MIN = 2_000;

const selection = newSelection();
let delaysNs: Float64Array = new Float64Array(0);
let scratch: Float64Array = new Float64Array(0);

/**
 * Fills `out` with the probes of `columns` that met no burst.
 *
 * @param slope rate of the receiver's clock against the sender's, minus one; undefined: not known yet
 */
export function keepClear(
  columns: ProbeColumns,
  slope: number | undefined,
  out: ProbeColumns,
): void {
  keepUntorn(columns, out);
  if (slope === undefined || out.length === 0) return;
  const { length, txNs, rxNs, probe } = out;
  delaysNs = grown(delaysNs, length);
  scratch = grown(scratch, length);
  let leastNs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < length; i++) {
    delaysNs[i] = rxNs[i] - txNs[i] * (1 + slope);
    scratch[i] = delaysNs[i];
    leastNs = Math.min(leastNs, delaysNs[i]);
  }
  const lowNs = selectKth(scratch, length, Math.floor(LOW_SHARE * (length - 1)));
  const limitNs = leastNs + Math.max(REACH_NS_MIN, REACH * (lowNs - leastNs));
  let kept = 0;
  for (let i = 0; i < length; i++) {
    if (delaysNs[i] > limitNs) continue;
    probe[kept] = probe[i];
    txNs[kept] = txNs[i];
    rxNs[kept++] = rxNs[i];
  }
  out.length = kept;
}

/** Fills `out` with the probes whose pair kept its gap; of few pairs, with all. */
function keepUntorn(columns: ProbeColumns, out: ProbeColumns): void {
  selectPure(columns, selection, "paper");
  const { probe, txNs, rxNs, length } = columns;
  out.probe = grown(out.probe, length);
  out.txNs = grown(out.txNs, length);
  out.rxNs = grown(out.rxNs, length);
  out.length = 0;
  const isOfFew = selection.epsilonNs === 0;
  for (let i = 0; i < length; i++) {
    const second = i + 1;
    const paired = second < length && probe[i] % 2 === 0 && probe[second] === probe[i] + 1;
    if (isOfFew) keep(i);
    else if (paired) {
      const gapNs = rxNs[second] - rxNs[i] - (txNs[second] - txNs[i]);
      if (Math.abs(gapNs) > selection.epsilonNs) continue;
      keep(i);
      keep(second);
    }
  }

  function keep(i: number): void {
    out.probe[out.length] = probe[i];
    out.txNs[out.length] = txNs[i];
    out.rxNs[out.length++] = rxNs[i];
  }
}
