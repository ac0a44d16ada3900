/**
 * The effective resistances of one mesh, round after round.
 *
 * Small meshes are solved exactly each time. In large ones the terms known without chance come from
 * the weights of the moment, the rest from the newest sketch (`effective-resistance.ts`), which the
 * caller makes when there is time; a host that no sketch knows has its best single path's.
 */
import { denseResistances } from "./dense-resistance.ts";
import {
  EXACT_HOSTS,
  type FarResistance,
  NearResistance,
  ResistanceSketch,
} from "./effective-resistance.ts";
import type { LaplacianSolver } from "./laplacian.ts";
import { medianOf } from "./quantile.ts";
import { PathFinder } from "./shortest-path.ts";

/** Once the median host's leading terms have grown or shrunk so much, a new sketch is due. */
const DRIFT_MAX = 1.3;

/** See the module head. */
export class MeshResistances {
  readonly #laplacian: LaplacianSolver;
  readonly #reference: number;
  readonly #near: NearResistance;
  readonly #paths: PathFinder;
  readonly #out: Float64Array;
  /** What sketches have told, by host; NaN: nothing. */
  readonly far: FarResistance;
  #isCurrent = false;

  /** @param laplacian holds the weights of the moment. */
  constructor(laplacian: LaplacianSolver, reference: number) {
    const { graph, incidence } = laplacian.shape;
    this.#laplacian = laplacian;
    this.#reference = reference;
    this.#near = new NearResistance(graph, reference);
    this.#paths = new PathFinder(graph, incidence);
    this.#out = new Float64Array(graph.hostCount);
    this.far = {
      rest: new Float64Array(graph.hostCount).fill(Number.NaN),
      lead: new Float64Array(graph.hostCount).fill(Number.NaN),
    };
  }

  /** True when no sketch is needed: every time's are exact. */
  get isExact(): boolean {
    return this.#out.length <= EXACT_HOSTS;
  }

  /** False: hosts have come or weights have changed since what sketches know. */
  get isCurrent(): boolean {
    return this.isExact || this.#isCurrent;
  }

  /** Begins a sketch for the weights of the moment. */
  newSketch(): ResistanceSketch {
    return new ResistanceSketch(this.#laplacian, this.#reference);
  }

  /** Takes what a sketch found. `placeOf`: each host's place in it; -1: it has none. */
  take({ far }: { readonly far: FarResistance }, placeOf?: Int32Array): void {
    this.#isCurrent = true;
    for (let i = 0; i < this.#out.length; i++) {
      const place = placeOf ? placeOf[i] : i;
      this.far.rest[i] = place < 0 ? Number.NaN : far.rest[place];
      this.far.lead[i] = place < 0 ? Number.NaN : far.lead[place];
    }
  }

  /** Sketches for the weights of the moment, all at once. Small meshes need none. */
  refresh(): void {
    if (this.isExact) return;
    const sketch = this.newSketch();
    while (!sketch.advance(1)) {}
    this.take(sketch);
  }

  /**
   * Resistance of each host to the reference; the column is overwritten the next time.
   *
   * @param connected 1 where usable edges lead to the reference; the others' mean nothing.
   */
  ofHosts(connected: Uint8Array): Float64Array {
    if (this.isExact) return denseResistances(this.#laplacian);
    const { weights } = this.#laplacian;
    this.#near.weigh(weights);
    const meshGrown = this.#meshGrown(connected);
    this.#isCurrent = meshGrown <= DRIFT_MAX && meshGrown >= 1 / DRIFT_MAX;
    const out = this.#out;
    let path: Float64Array | undefined;
    for (let i = 0; i < out.length; i++) {
      out[i] = 0;
      if (connected[i] === 0 || i === this.#reference) continue;
      out[i] = this.#near.with(i, this.far, i, meshGrown);
      if (!Number.isNaN(out[i])) continue;
      this.#isCurrent = false;
      path ??= this.#pathLengths(weights);
      out[i] = path[i];
    }
    return out;
  }

  /** By how much the median host's leading terms have grown since the sketch. */
  #meshGrown(connected: Uint8Array): number {
    const growths = this.#out;
    let count = 0;
    for (let i = 0; i < growths.length; i++) {
      const grown = this.#near.grown(i, this.far, i);
      if (connected[i] === 1 && grown > 0) growths[count++] = grown;
    }
    return count > 0 ? medianOf(growths, count) : 1;
  }

  #pathLengths(weights: Float64Array): Float64Array {
    const lengths = weights.map((w) => (w > 0 ? 1 / w : Number.NaN));
    return this.#paths.find(lengths, this.#reference).length;
  }
}
