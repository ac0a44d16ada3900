/**
 * What the newest probes of an edge say of its offset, by the likelihood of every delay.
 *
 * Problem: a quantile or a margin uses a few probes of many, and how good those few are depends on
 * the load. Approach: the shapes of both directions' delays are known (`delay-shape.ts`), so an
 * offset moved by d has the likelihood
 *
 *     prod f_forward(u_i - d)  prod f_reverse(v_j + d)
 *
 * of the delays u, v that the probes would have without the move. With the prior of the edge's
 * course it is summed up on a grid of d: mean and variance of the posterior. What the probes alone
 * say is the quotient of posterior and prior (assumed-density filtering; T. Minka, "Expectation
 * Propagation for Approximate Bayesian Inference", UAI 2001): a normal measurement, independent of
 * those before. Where no probe came near the floor the quotient tells nothing, and says so.
 *
 * Delays beyond a limit count as "longer than that" (a censored sample; A. Hald, Scand. Actuarial J.
 * 1949), so that the histogram need not reach to the last one.
 */
import { BINS } from "./delay-bins.ts";
import type { Delays } from "./delay-model.ts";
import type { DelayShape } from "./delay-shape.ts";

/** Delays of one kind, their shape, and by which sign a move of the offset changes them. */
export interface Part {
  readonly delays: Delays;
  readonly shape: DelayShape;
  readonly sign: 1 | -1;
}

/** A normal measurement of how far the offset is from its prediction. */
export interface BlockOffset {
  /** ns, positive: the other clock is further ahead than predicted. */
  readonly offsetNs: number;
  readonly sigmaNs: number;
}

/** Points of a grid. The second grid is laid where the first found the mass. */
const POINTS_MIN = 23;
const POINTS_MAX = 241;
/** A first grid has more points where steps would be longer than this: a floor is ten bins wide. */
const STEP_BINS = 5;
/** Delays count as "longer than that" from so far below the last bin on, at the most. */
const MARGIN_BINS = 225;
/** Reach of the grids, in sigmas of the prior and of the first grid's posterior. */
const PRIOR_REACH = 4.5;
const POSTERIOR_REACH = 4;
/** A block tells at least this share of the prior's weight, lest quotients of noise blow up. */
const SHARE_MIN = 0.005;

/**
 * A block that moved the posterior but did not make it narrower contradicts itself: the quotient has a
 * mean far outside its sigma. It counts as no further off than this (sigmas of both).
 */
const QUOTIENT_SIGMAS = 5;

/**
 * A shape learnt from few delays looks sharper than it is known: logarithms of its density count
 * n / (n + this), n being its delays.
 */
const NOVICE_COUNT = 100;

const placesNs = new Float64Array(POINTS_MAX);
const logs = new Float64Array(POINTS_MAX);
/** Points of the present grid. */
let points = POINTS_MIN;

/**
 * Measures the move of the offset.
 *
 * @param priorSigmaNs standard uncertainty of the predicted offset (ns, above 0).
 */
export function blockOffset(parts: readonly Part[], priorSigmaNs: number): BlockOffset {
  const priorVariance = priorSigmaNs * priorSigmaNs;
  let centreNs = 0;
  let reachNs = PRIOR_REACH * priorSigmaNs;
  const marginNs = 2 * reachNs;
  // With a prior much wider than a floor the peak would lie between the points.
  const finestNs = parts.reduce((least, { shape }) => Math.min(least, shape.binNs), Infinity);
  let variance = priorVariance;
  for (let pass = 0; pass < 2; pass++) {
    const wanted = 1 + (2 * reachNs) / (STEP_BINS * finestNs);
    points = Math.min(POINTS_MAX, Math.max(POINTS_MIN, Math.ceil(wanted)));
    const stepNs = (2 * reachNs) / (points - 1);
    for (let i = 0; i < points; i++) {
      placesNs[i] = centreNs - reachNs + i * stepNs;
      logs[i] = (-placesNs[i] * placesNs[i]) / (2 * priorVariance);
    }
    for (const part of parts) add(part, marginNs);
    const found = moments();
    centreNs = found.mean;
    // A grid cannot see what is finer than its step.
    variance = found.variance;
    reachNs = POSTERIOR_REACH * Math.max(Math.sqrt(variance), 0.3 * stepNs);
  }
  // Precision of the block in units of the prior's; and the move that leads to the posterior.
  const share = Math.max(SHARE_MIN, priorVariance / Math.max(variance, 1e-9) - 1);
  const sigmaNs = Math.sqrt(priorVariance / share);
  const offsetNs = (centreNs * (1 + share)) / share;
  const limitNs = QUOTIENT_SIGMAS * Math.hypot(sigmaNs, priorSigmaNs);
  return { offsetNs: Math.max(-limitNs, Math.min(limitNs, offsetNs)), sigmaNs };
}

/** Adds the logarithm of the likelihood of one kind of delays at each point. */
function add({ delays, shape, sign }: Part, marginNs: number): void {
  const { lowNs, binNs, logDensity } = shape;
  const limitNs = lowNs + (BINS - 1) * binNs - Math.min(marginNs, MARGIN_BINS * binNs);
  const perNs = 1 / binNs;
  const learnt = shape.effectiveCount;
  const trust = learnt / (learnt + NOVICE_COUNT);
  let beyond = 0;
  for (let i = 0; i < delays.length; i++) {
    const delayNs = delays.ns[i];
    if (!(delayNs < limitNs)) {
      beyond++;
      continue;
    }
    const first = (delayNs - lowNs) * perNs - 0.5;
    for (let p = 0; p < points; p++) {
      const at = first + sign * placesNs[p] * perNs;
      if (at < 0) logs[p] += trust * logDensity[0];
      else if (at >= BINS - 1) logs[p] += trust * logDensity[BINS - 1];
      else {
        // Rounds down in one instruction: this is the innermost loop of a fit.
        const bin = at | 0;
        const low = logDensity[bin];
        logs[p] += trust * (low + (at - bin) * (logDensity[bin + 1] - low));
      }
    }
  }
  if (beyond === 0) return;
  for (let p = 0; p < points; p++) {
    logs[p] += trust * beyond * shape.logBeyond((limitNs + sign * placesNs[p] - lowNs) * perNs);
  }
}

function moments(): { mean: number; variance: number } {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < points; i++) if (logs[i] > top) top = logs[i];
  let sum = 0;
  let mean = 0;
  for (let i = 0; i < points; i++) {
    logs[i] = Math.exp(logs[i] - top);
    sum += logs[i];
    mean += logs[i] * placesNs[i];
  }
  mean /= sum;
  let variance = 0;
  for (let i = 0; i < points; i++) variance += logs[i] * (placesNs[i] - mean) ** 2;
  return { mean, variance: variance / sum };
}
