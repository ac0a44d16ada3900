/**
 * What the fit of an edge costs: windows of 2 x 200 coded pairs, as hardware stamps them at 40 % load.
 *
 * Agents fit one window of an edge after the other, so that is what is measured: a stream of probes,
 * cut into the windows of each half second, goes through one `EdgeTracker`. `fitEdge`, which fits a
 * window by itself, is measured beside it: trackers ask it now and then.
 */
import { EdgeTracker, fitEdge, type PlacedWindow, type ProbeColumns } from "@ttcs/estimator";
import { Prng, ROUND_NS, WINDOW_NS } from "@ttcs/units";
import { median, wallMs } from "./timing.ts";

/** What was measured (us). */
export interface FitCost {
  readonly trackedUs: number;
  /** Nine of ten fits of the tracker cost no more. */
  readonly tracked90Us: number;
  readonly aloneUs: number;
  readonly windowCount: number;
}

const PAIRS = 200;
const BASE_DELAY_NS = 10_000;
const BUSY_SHARE = 0.4;
const QUEUE_NS = 12_500;
const STAMP_SIGMA_NS = 6;
const SPACING_NS = 10_000;
const FREQ_PPB = 8_000;
/** So many first windows only warm the compiler up. */
const WARM_UP = 150;
const MEASURED = 150;

/** Measures fits of one stream. */
export function measureFits(seed: number): FitCost {
  const windows = streamWindows(seed, WARM_UP + MEASURED);
  const tracker = new EdgeTracker();
  const tracked = timesUs(windows, (window) => tracker.fit(window));
  const alone = timesUs(windows, (window) => fitEdge(window));
  const sorted = [...tracked].sort((a, b) => a - b);
  return {
    trackedUs: median(tracked),
    tracked90Us: sorted[Math.floor(0.9 * sorted.length)],
    aloneUs: median(alone),
    windowCount: MEASURED,
  };
}

function timesUs(
  windows: readonly PlacedWindow[],
  fit: (window: PlacedWindow) => unknown,
): number[] {
  const times: number[] = [];
  for (const window of windows) {
    const beganMs = wallMs();
    fit(window);
    times.push(1000 * (wallMs() - beganMs));
  }
  return times.slice(WARM_UP);
}

interface Probe {
  readonly number: number;
  readonly txNs: number;
  readonly rxNs: number;
}

/** Overlapping windows of one edge, each with zeros of its own. */
function streamWindows(seed: number, count: number): PlacedWindow[] {
  const random = new Prng(seed);
  const lengthNs = WINDOW_NS + count * ROUND_NS;
  const there = stream(random, lengthNs, true);
  const back = stream(random, lengthNs, false);
  const none = { sigmaNs: 0, boundNs: 0 };
  return Array.from({ length: count }, (_, i) => {
    const startNs = i * ROUND_NS;
    const otherStartNs = Math.round(onOther(startNs));
    const forward = cut(there, startNs, startNs, otherStartNs);
    const reverse = cut(back, startNs, otherStartNs, startNs);
    return {
      forward,
      reverse,
      ownerCarry: none,
      otherCarry: none,
      sentForwardCount: forward.length,
      sentReverseCount: reverse.length,
      ownerBaseRawNs: BigInt(startNs),
      otherBaseRawNs: BigInt(otherStartNs),
      closeNs: WINDOW_NS,
    };
  });
}

/** The other host's clock at an instant of the owner's, which is true time. */
const onOther = (ns: number): number => ns + 1e6 + ns * FREQ_PPB * 1e-9;

/** Probes of one direction with the instants of sending in true time (ns). */
function stream(random: Prng, lengthNs: number, forward: boolean): [number, Probe][] {
  const out: [number, Probe][] = [];
  const everyNs = WINDOW_NS / PAIRS;
  const stamp = (ns: number) => Math.round(ns + STAMP_SIGMA_NS * random.normal());
  for (let pair = 0; pair * everyNs < lengthNs; pair++) {
    const atNs = (pair + random.uniform()) * everyNs;
    for (const member of [0, 1]) {
      const sentNs = atNs + member * SPACING_NS;
      const waitNs = random.uniform() < BUSY_SHARE ? random.exponential(QUEUE_NS) : 0;
      const arrivedNs = sentNs + BASE_DELAY_NS + waitNs;
      const [txNs, rxNs] = forward
        ? [stamp(sentNs), stamp(onOther(arrivedNs))]
        : [stamp(onOther(sentNs)), stamp(arrivedNs)];
      out.push([sentNs, { number: 2 * pair + member, txNs, rxNs }]);
    }
  }
  return out;
}

function cut(
  probes: readonly [number, Probe][],
  startNs: number,
  txZeroNs: number,
  rxZeroNs: number,
): ProbeColumns {
  const inside = probes
    .filter(([sentNs]) => sentNs >= startNs && sentNs < startNs + WINDOW_NS - SPACING_NS * 4)
    .map(([, probe]) => probe);
  return {
    length: inside.length,
    probe: Float64Array.from(inside, (p) => p.number),
    txNs: Float64Array.from(inside, (p) => p.txNs - txZeroNs),
    rxNs: Float64Array.from(inside, (p) => p.rxNs - rxZeroNs),
  };
}
