/**
 * What the fixed biases of a mesh's edges may look like, before a loop has been looked at.
 *
 * An edge whose directions take delays d and d' at least is biased by (d - d') / 2. Nobody tells how
 * many edges are, or by how much, so four worlds are held against each other, each a mixture of
 * normal distributions whose shares are learned (empirical Bayes; M. Stephens, "False discovery
 * rates: a new deal", Biostatistics 18(2), 2017, for zero-mean normals on a grid of scales):
 *
 * - `plain`: one normal distribution for all; its mean is least squares.
 * - `outliers`: normals of 0.25 ns, 1 ns, 4 ns ...; most edges alike, some far off. Near to Tukey's
 *   weights, or to Huber's, as the shares come out.
 * - `walls`: a delay that one direction has too much also lengthens the round trip. With R the edge's
 *   least round trip and R_0 the shortest of the mesh, |bias| <= reach = (R - R_0) / 2. A bias lies
 *   within [reach - L, reach] on either side, where L is how much longer the pair's way is in both
 *   directions alike: L small: one direction takes a detour; L beyond all reach: anything between
 *   the walls. A pair of normals of the same mean and variance stands for either side. The fourth
 *   component is that of `plain`: the round trip may tell nothing.
 * - `mixed`: walls, and clean edges among them, such as paths of a few lengths.
 *
 * It cannot see: a tunnel that shortens one direction, or a mesh all of whose edges are longer than
 * they need be; then `walls` explains little and the others win.
 */

/** The worlds, by number. */
export const PLAIN = 0;
export const OUTLIERS = 1;
export const WALLS = 2;
export const MIXED = 3;
export const WORLDS = 4;

/** Scales of `outliers`: the least (ns), the step between two, and how many: up to 17 ms. */
const SCALE_NS_MIN = 0.25;
const SCALE_STEP = 4;
const SCALES = 14;
/** L of `walls`, in units of the mesh's median reach; the last one: anything between the walls. */
const DETOURS = [0.1, 0.7, Number.POSITIVE_INFINITY] as const;
/** No wall is sharper than this (ns): round trips are measured, too. */
const WALL_SIGMA_NS = 5;
/** Small against the mean square: a quarter of its root. */
const CLEAN_SQUARE = 1 / 16;
/**
 * Counts that each share has before any edge (Dirichlet's prior): few where most components will
 * be empty, so that shares become sparse.
 */
const COUNT_BEFORE = [1, 0.3, 1, 0.5] as const;
/** Scales of the clean edges of `mixed` (ns). */
const CLEAN_NS = [3, 30] as const;

/** Components of one world's prior. */
export class BiasPrior {
  readonly world: number;
  readonly count: number;
  /** Share of each component, 1 in all. */
  readonly share: Float64Array;
  /** Of the edge last described: centre of each component on the positive side, and variance. */
  readonly centreNs: Float64Array;
  readonly varianceNs2: Float64Array;
  /** Half width of the mesh's middle edge's walls (ns). */
  #reachMedianNs = 0;
  /** Variance of the component that all edges are alike in (ns squared), learned. */
  #broadNs2: number;

  constructor(world: number, broadNs2: number) {
    this.world = world;
    this.count = [1, SCALES, DETOURS.length + 1, DETOURS.length + 1 + CLEAN_NS.length][world];
    this.share = new Float64Array(this.count).fill(1 / this.count);
    this.centreNs = new Float64Array(this.count);
    this.varianceNs2 = new Float64Array(this.count);
    this.#broadNs2 = broadNs2;
    this.describe(0, 0);
  }

  /** Fills `centreNs` and `varianceNs2` for an edge with this reach (ns; NaN: unknown). */
  describe(reachNs: number, reachMedianNs = this.#reachMedianNs): void {
    const { centreNs, varianceNs2, world } = this;
    if (world === OUTLIERS) {
      if (varianceNs2[0] > 0) return;
      for (let k = 0; k < SCALES; k++) varianceNs2[k] = (SCALE_NS_MIN * SCALE_STEP ** k) ** 2;
      return;
    }
    this.#reachMedianNs = reachMedianNs;
    varianceNs2[0] = this.#broadNs2;
    for (let k = DETOURS.length + 1; k < this.count; k++) {
      varianceNs2[k] = CLEAN_NS[k - DETOURS.length - 1] ** 2;
    }
    const walls = Math.min(this.count, DETOURS.length + 1);
    for (let k = 1; k < walls; k++) {
      const widthNs = Math.min(reachNs, DETOURS[k - 1] * (reachMedianNs + WALL_SIGMA_NS));
      const known = reachNs >= 0;
      centreNs[k] = known ? reachNs - widthNs / 2 : 0;
      varianceNs2[k] = known ? (widthNs * widthNs) / 12 + WALL_SIGMA_NS ** 2 : this.#broadNs2;
    }
  }

  /**
   * Learns the shares, and the scale of what is alike.
   *
   * @param counts how many edges each component has, by their posteriors; scratch
   * @param broadSquareNs2 sum of squares of the biases of the first component's edges
   */
  learn(counts: Float64Array, broadSquareNs2: number): void {
    const before = COUNT_BEFORE[this.world];
    let sum = 0;
    for (let k = 0; k < this.count; k++) sum += counts[k] + before;
    for (let k = 0; k < this.count; k++) this.share[k] = (counts[k] + before) / sum;
    if (this.world === OUTLIERS || counts[0] < 1) return;
    this.#broadNs2 = Math.max(SCALE_NS_MIN ** 2, broadSquareNs2 / counts[0]);
  }

  /** Share of the edges whose bias is small against the root mean square of all (`outliers`). */
  cleanShare(): number {
    const whole = this.meanSquareNs2(Number.NaN);
    let sum = 0;
    for (let k = 0; k < this.count; k++) {
      if (this.varianceNs2[k] < CLEAN_SQUARE * whole || k === 0) sum += this.share[k];
    }
    return sum;
  }

  /** Mean square of a bias of which nothing is known but the world (ns squared). */
  meanSquareNs2(reachNs: number): number {
    this.describe(reachNs);
    let sum = 0;
    for (let k = 0; k < this.count; k++) {
      sum += this.share[k] * (this.centreNs[k] ** 2 + this.varianceNs2[k]);
    }
    return sum;
  }
}
