/**
 * One straight piece of the map between a host's system clock and its raw clock.
 *
 * Problem: between two frequency writes the system clock runs at a constant rate against raw. A
 * triple says that one system reading lies somewhere inside a bracket of two raw readings. Find the
 * line, how uncertain it is (sigma) and how wrong it can be at most (bound).
 *
 * Approach: y = system - raw at the middle of the bracket, x = raw, both relative to the piece's
 * origin. Of the triples the half with the tightest brackets is kept: a wide bracket was
 * interrupted. Then least squares with a normal prior on value and slope (Gelman et al., "Bayesian
 * Data Analysis", 3rd ed., section 14.8: prior information counts as additional data points), which
 * makes a young piece as good as its predecessor at once.
 *
 * Sigma is the posterior's, with the variance of one triple from the residual scatter; a piece with
 * few triples borrows the spread of a uniform distribution over the bracket.
 *
 * Bound: the truth passes through every bracket, so at a kept triple the line is wrong by at most
 * |residual| + half the width. The error of one line against another is itself a line, whose
 * largest magnitude between two points stands at one of them: the largest such sum over the kept
 * triples therefore bounds the error between the first and the last of them, without any assumption
 * on where in its bracket a reading lies. Outside of them the slope's uncertainty is added.
 *
 * It cannot see a reading that sits off the middle of its bracket by the same amount each time:
 * sigma does not contain that (the bound does).
 */
import { medianOf, selectKth } from "./quantile.ts";

/** Triples that one piece holds: 2.5 s at the usual 100 a second. */
export const SEGMENT_CAPACITY = 256;
/** A system clock is slewed by at most 500 ppm; the prior of a slope nobody knows (ppb). */
export const UNKNOWN_SLOPE_SIGMA_PPB = 500_000;
/** How far beyond its last triple a piece is used (s). */
export const EXTRAPOLATION_S = 0.3;
/** Sigmas of the slope that the bound allows outside of the triples. */
const BOUND_SLOPE_SIGMAS = 4;
/** Below this number of triples the width limit of the predecessor is used: no median yet. */
const OWN_LIMIT_COUNT = 8;
/** Weight of the uniform-bracket variance beside the residuals, in triples. */
const VARIANCE_PRIOR_COUNT = 4;
/** Stamps are whole nanoseconds: variance of the rounding (ns^2), the floor for one triple. */
const ROUNDING_VARIANCE_NS2 = 1 / 12;

/** What is known of a piece before its first triple. */
export interface LinePrior {
  /** system - raw at the origin (ns). */
  valueNs: number;
  /** Infinity when nothing is known (ns). */
  valueSigmaNs: number;
  /** Rate of system against raw, positive when the system clock runs fast (ppb). */
  slopePpb: number;
  slopeSigmaPpb: number;
  /** The value is within this of the truth, guaranteed (ns). */
  boundNs: number;
  /** Bracket width up to which triples are kept until the piece has a median of its own (ns). */
  widthLimitNs: number;
}

/** Triples of the piece that is still growing; x in s and y in ns from the piece's origin. */
export class Samples {
  length = 0;
  readonly xS = new Float64Array(SEGMENT_CAPACITY);
  readonly yNs = new Float64Array(SEGMENT_CAPACITY);
  readonly halfNs = new Float64Array(SEGMENT_CAPACITY);
}

/** Sigmas, and ns on top, beyond which the mean innovation of a batch contradicts the line. */
const SUSPECT_SIGMAS = 5;
const SUSPECT_MARGIN_NS = 20;

const scratch = new Float64Array(SEGMENT_CAPACITY);
/** Triples that are narrow enough, side by side: a fit goes through them many times. */
const kept = new Samples();

/** One piece. Plain numbers, overwritten when the ring comes round. */
export class Segment {
  /** Zeros of both scales; `y` is (system - originSystem) - (raw - originRaw). */
  originRawNs = 0n;
  originSystemNs = 0n;
  /** From here to `startS` stamps are in a gap and cannot be carried (s from the origin). */
  gapS = 0;
  startS = 0;
  /** Last usable instant (s from the origin); moves on while triples arrive. */
  endS = 0;
  /** False: neither a prior nor a triple says where the line is. */
  usable = false;
  valueNs = 0;
  slopePpb = 0;
  /** Variance of one triple about the line (ns^2). */
  sampleVarianceNs2 = 0;
  /** Typical sigma, and largest bound, of a stamp between `startS` and `endS` (ns). */
  sigmaNs = 0;
  boundNs = 0;
  widthLimitNs = 0;
  keptCount = 0;
  #valueVariance = 0;
  #covariance = 0;
  #slopeVariance = 0;
  #firstS = 0;
  #lastS = 0;
  #coreBoundNs = 0;

  /** Standard uncertainty of the line at x (s from the origin), in ns. */
  sigmaAt(xS: number): number {
    const variance =
      this.#valueVariance + 2 * xS * this.#covariance + xS * xS * this.#slopeVariance;
    return Math.sqrt(Math.max(0, variance));
  }

  /** Guaranteed error of the line at x (s from the origin), in ns. */
  boundAt(xS: number): number {
    const outsideS = Math.max(0, this.#firstS - xS, xS - this.#lastS);
    return this.#coreBoundNs + BOUND_SLOPE_SIGMAS * outsideS * this.slopeSigmaPpb;
  }

  get slopeSigmaPpb(): number {
    return Math.sqrt(this.#slopeVariance);
  }

  /** Value of the line (ns) at x (s from the origin). */
  valueAt(xS: number): number {
    return this.valueNs + this.slopePpb * xS;
  }

  /**
   * Whether the mean innovation of the samples from `first` on is beyond its uncertainty;
   * undefined when the piece or the samples allow no verdict.
   */
  contradiction(samples: Samples, first: number): boolean | undefined {
    if (!this.usable) return undefined;
    let count = 0;
    let meanNs = 0;
    let meanS = 0;
    let meanHalfNs = 0;
    for (let i = first; i < samples.length; i++) {
      if (2 * samples.halfNs[i] > this.widthLimitNs) continue;
      count++;
      meanNs += (samples.yNs[i] - this.valueAt(samples.xS[i]) - meanNs) / count;
      meanS += (samples.xS[i] - meanS) / count;
      meanHalfNs += (samples.halfNs[i] - meanHalfNs) / count;
    }
    if (count === 0) return undefined;
    // Inside its brackets the clock may be where the line says, however unlikely: readings taken
    // together can all sit off the middle to one side.
    if (Math.abs(meanNs) <= meanHalfNs) return false;
    const lineSigmaNs = this.sigmaAt(meanS);
    const sigmaNs = Math.sqrt(this.sampleVarianceNs2 / count + lineSigmaNs * lineSigmaNs);
    return Math.abs(meanNs) > SUSPECT_SIGMAS * sigmaNs + SUSPECT_MARGIN_NS;
  }

  /** Refits the line to the first `count` samples. */
  fit(samples: Samples, count: number, prior: LinePrior): void {
    this.#limitWidth(samples, count, prior);
    this.#keepNarrow(samples, count);
    const meanS = this.#solve(prior);
    this.#scatter();
    this.#covariances(prior, meanS);
    this.#bound(prior);
    this.usable = this.keptCount > 0 || prior.valueSigmaNs < Number.POSITIVE_INFINITY;
  }

  /** Sets the span in use and with it the sigma and the largest bound of a carried stamp. */
  setEnd(endS: number): void {
    this.endS = endS;
    // Root mean square from the start to the last triple; Simpson's rule is exact for a parabola.
    const lastS = Math.max(this.startS, Math.min(this.#lastS, endS));
    const middle = this.sigmaAt((this.startS + lastS) / 2);
    const first = this.sigmaAt(this.startS);
    const last = this.sigmaAt(lastS);
    this.sigmaNs = Math.sqrt((first * first + 4 * middle * middle + last * last) / 6);
    this.boundNs = Math.max(this.boundAt(this.startS), this.boundAt(endS));
  }

  #limitWidth(samples: Samples, count: number, prior: LinePrior): void {
    for (let i = 0; i < count; i++) scratch[i] = 2 * samples.halfNs[i];
    if (count >= OWN_LIMIT_COUNT) {
      // The lower median: among equal widths all are kept.
      this.widthLimitNs = selectKth(scratch, count, (count - 1) >> 1);
    } else if (prior.widthLimitNs < Number.POSITIVE_INFINITY) {
      this.widthLimitNs = prior.widthLimitNs;
    } else {
      this.widthLimitNs = count === 0 ? Number.POSITIVE_INFINITY : medianOf(scratch, count);
    }
  }

  #keepNarrow({ xS, yNs, halfNs }: Samples, count: number): void {
    let length = 0;
    for (let i = 0; i < count; i++) {
      if (2 * halfNs[i] > this.widthLimitNs) continue;
      kept.xS[length] = xS[i];
      kept.yNs[length] = yNs[i];
      kept.halfNs[length++] = halfNs[i];
    }
    kept.length = length;
    this.keptCount = length;
  }

  /** Posterior mean; returns the mean of the kept x (s). */
  #solve(prior: LinePrior): number {
    let meanX = 0;
    let meanY = 0;
    let meanHalf = 0;
    for (let i = 0; i < kept.length; i++) {
      meanX += (kept.xS[i] - meanX) / (i + 1);
      meanY += (kept.yNs[i] - meanY) / (i + 1);
      meanHalf += (kept.halfNs[i] - meanHalf) / (i + 1);
    }
    // Twice: the second time with the variance that the residuals of the first have shown.
    this.sampleVarianceNs2 = Math.max(ROUNDING_VARIANCE_NS2, (meanHalf * meanHalf) / 3);
    this.#line(prior, meanX, meanY);
    this.#scatter();
    this.#line(prior, meanX, meanY);
    return meanX;
  }

  #line(prior: LinePrior, meanX: number, meanY: number): void {
    let sxx = 0;
    let sxy = 0;
    for (let i = 0; i < kept.length; i++) {
      const dx = kept.xS[i] - meanX;
      sxx += dx * dx;
      sxy += dx * (kept.yNs[i] - meanY);
    }
    // Unknowns: correction v to the prior's value and s to its slope, about the prior line.
    const v = this.sampleVarianceNs2;
    const n = this.keptCount;
    const wValue = v / (prior.valueSigmaNs * prior.valueSigmaNs);
    const wSlope = v / (prior.slopeSigmaPpb * prior.slopeSigmaPpb);
    const meanR = meanY - prior.valueNs - prior.slopePpb * meanX;
    const a11 = n + wValue;
    const a12 = n * meanX;
    const a22 = sxx + n * meanX * meanX + wSlope;
    const b1 = n * meanR;
    const b2 = sxy - prior.slopePpb * sxx + n * meanX * meanR;
    const determinant = a11 * a22 - a12 * a12;
    const solvable = determinant > 0;
    this.valueNs = prior.valueNs + (solvable ? (a22 * b1 - a12 * b2) / determinant : 0);
    this.slopePpb = prior.slopePpb + (solvable ? (a11 * b2 - a12 * b1) / determinant : 0);
  }

  #scatter(): void {
    let squares = 0;
    let uniform = 0;
    for (let i = 0; i < kept.length; i++) {
      const residual = kept.yNs[i] - this.valueAt(kept.xS[i]);
      squares += residual * residual;
      uniform += (kept.halfNs[i] * kept.halfNs[i]) / 3;
    }
    if (this.keptCount === 0) return;
    const borrowed = (VARIANCE_PRIOR_COUNT * uniform) / this.keptCount;
    const variance = (squares + borrowed) / (this.keptCount + VARIANCE_PRIOR_COUNT);
    this.sampleVarianceNs2 = Math.max(ROUNDING_VARIANCE_NS2, variance);
  }

  #covariances(prior: LinePrior, meanX: number): void {
    let sxx = 0;
    for (let i = 0; i < kept.length; i++) {
      sxx += (kept.xS[i] - meanX) * (kept.xS[i] - meanX);
    }
    const v = this.sampleVarianceNs2;
    const n = this.keptCount;
    const a11 = n / v + 1 / (prior.valueSigmaNs * prior.valueSigmaNs);
    const a12 = (n * meanX) / v;
    const slopeWeight = 1 / (prior.slopeSigmaPpb * prior.slopeSigmaPpb);
    const a22 = (sxx + n * meanX * meanX) / v + slopeWeight;
    const determinant = a11 * a22 - a12 * a12;
    const known = determinant > 0;
    this.#valueVariance = known ? a22 / determinant : Number.POSITIVE_INFINITY;
    this.#covariance = known ? -a12 / determinant : 0;
    this.#slopeVariance = known ? a11 / determinant : 1 / slopeWeight;
  }

  #bound(prior: LinePrior): void {
    this.#firstS = 0;
    this.#lastS = 0;
    this.#coreBoundNs = prior.boundNs;
    let first = true;
    for (let i = 0; i < kept.length; i++) {
      const residual = Math.abs(kept.yNs[i] - this.valueAt(kept.xS[i]));
      const bound = residual + kept.halfNs[i];
      if (first) {
        this.#firstS = kept.xS[i];
        this.#coreBoundNs = bound;
        first = false;
      }
      this.#lastS = kept.xS[i];
      if (bound > this.#coreBoundNs) this.#coreBoundNs = bound;
    }
  }
}
