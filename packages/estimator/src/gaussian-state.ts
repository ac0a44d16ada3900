/**
 * A vector of jointly normal unknowns: mean and covariance, and what a measurement does to them.
 *
 * The update is in Joseph form, P = (I - K h) P (I - K h)' + K R K', which keeps the covariance
 * symmetric and positive whatever rounding does (Bar-Shalom et al., "Estimation with Applications
 * to Tracking and Navigation", 2001, section 5.2). Measurements are scalars, taken one after the
 * other; nothing is allocated after construction.
 */

/** What an update needs for a while; states of one size share it. */
interface Scratch {
  readonly gain: Float64Array;
  readonly image: Float64Array;
  readonly left: Float64Array;
}

const scratches = new Map<number, Scratch>();

function scratchOf(size: number): Scratch {
  let found = scratches.get(size);
  if (!found) {
    found = {
      gain: new Float64Array(size),
      image: new Float64Array(size),
      left: new Float64Array(size * size),
    };
    scratches.set(size, found);
  }
  return found;
}

/** Numbers that a state of `size` unknowns takes. */
export const stateNumbers = (size: number): number => size + size * size;

/** See the module head. */
export class GaussianState {
  readonly size: number;
  readonly mean: Float64Array;
  /** Row by row. */
  readonly covariance: Float64Array;
  readonly #gain: Float64Array;
  readonly #image: Float64Array;
  readonly #left: Float64Array;

  /** @param memory where it stands, from entry `at` on: states that are used together lie together. */
  constructor(size: number, memory = new Float64Array(stateNumbers(size)), at = 0) {
    this.size = size;
    this.mean = memory.subarray(at, at + size);
    this.covariance = memory.subarray(at + size, at + stateNumbers(size));
    const { gain, image, left } = scratchOf(size);
    this.#gain = gain;
    this.#image = image;
    this.#left = left;
  }

  /** Takes over another state of the same size. */
  copyFrom(other: GaussianState): void {
    // Loops: for columns this short, `set` costs several times as much.
    for (let i = 0; i < this.mean.length; i++) this.mean[i] = other.mean[i];
    const { covariance } = other;
    for (let i = 0; i < covariance.length; i++) this.covariance[i] = covariance[i];
  }

  /** Expected value of h' x. */
  expected(h: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < this.size; i++) sum += h[i] * this.mean[i];
    return sum;
  }

  /** Variance of h' x. */
  varianceOf(h: Float64Array): number {
    this.#multiply(h);
    let sum = 0;
    for (let i = 0; i < this.size; i++) sum += h[i] * this.#image[i];
    return sum;
  }

  /**
   * Takes a measurement of h' x with an independent error of the given variance, above 0; returns
   * the logarithm of its likelihood before it was known, less a constant.
   */
  observe(h: Float64Array, measured: number, variance: number): number {
    const n = this.size;
    const p = this.covariance;
    const innovation = measured - this.expected(h);
    const total = this.varianceOf(h) + variance;
    const gain = this.#gain;
    for (let i = 0; i < n; i++) {
      gain[i] = this.#image[i] / total;
      this.mean[i] += gain[i] * innovation;
    }
    const left = this.#left;
    for (let r = 0; r < n; r++) {
      for (let c = 0; c < n; c++) left[r * n + c] = p[r * n + c] - gain[r] * this.#image[c];
    }
    for (let r = 0; r < n; r++) {
      let seen = 0;
      for (let c = 0; c < n; c++) seen += left[r * n + c] * h[c];
      for (let c = 0; c < n; c++) {
        p[r * n + c] = left[r * n + c] - seen * gain[c] + gain[r] * variance * gain[c];
      }
    }
    this.#symmetrise();
    return -((innovation * innovation) / total + Math.log(total)) / 2;
  }

  /** Takes out what rounding has made of the symmetry: left alone it doubles with every update. */
  #symmetrise(): void {
    const n = this.size;
    const p = this.covariance;
    for (let r = 1; r < n; r++) {
      for (let c = 0; c < r; c++) {
        const mean = (p[r * n + c] + p[c * n + r]) / 2;
        p[r * n + c] = mean;
        p[c * n + r] = mean;
      }
    }
  }

  /** Image of h under the covariance. */
  #multiply(h: Float64Array): void {
    const n = this.size;
    for (let r = 0; r < n; r++) {
      let sum = 0;
      for (let c = 0; c < n; c++) sum += this.covariance[r * n + c] * h[c];
      this.#image[r] = sum;
    }
  }
}
