/**
 * Bins put together to cells: one bin wide where a density rises, ever wider away from there.
 *
 * Where delays are many and change quickly each bin counts, in the tail a curve through twenty bins
 * says the same as one through each. What is smooth at the scale of the cells may thus be steep at the
 * rise and must be gentle in the tail, and a curve through some sixty cells costs little.
 */
import type { Counted } from "./log-density.ts";

/** Growth of a cell with the distance from the rise (bins per bin). */
const GROWTH = 0.1;

/** See the module head. Reused: `lay` begins anew. */
export class DelayCells implements Counted {
  length = 0;
  readonly counts: Float64Array;
  readonly exposures: Float64Array;
  /** Places of the edges (bins), one more than there are cells. */
  readonly edges: Float64Array;
  readonly #bins: number;

  constructor(bins: number) {
    this.#bins = bins;
    this.counts = new Float64Array(bins);
    this.exposures = new Float64Array(bins);
    this.edges = new Float64Array(bins + 1);
  }

  /** Lays cells about a place (bins); the outermost end with the bins. */
  lay(place: number): void {
    const { edges } = this;
    const rise = Math.max(1, Math.min(this.#bins - 1, place));
    const below = Math.max(1, Math.floor(stepsTo(rise)));
    const above = Math.max(1, Math.floor(stepsTo(this.#bins - rise)));
    this.length = below + above;
    for (let k = 0; k <= this.length; k++) {
      const steps = k - below;
      edges[k] = rise + Math.sign(steps) * awayOf(Math.abs(steps));
    }
    edges[0] = 0;
    edges[this.length] = this.#bins;
  }

  /** Middle of a cell (bins). */
  middle(cell: number): number {
    return (this.edges[cell] + this.edges[cell + 1]) / 2;
  }

  /** Fills `perBin` with the straight lines between the values at the middles of the cells. */
  spread(values: Float64Array, perBin: Float32Array | Float64Array): void {
    let cell = 0;
    let low = this.middle(0);
    let high = this.middle(1);
    for (let i = 0; i < this.#bins; i++) {
      const at = i + 0.5;
      while (at > high && cell < this.length - 2) {
        cell++;
        low = high;
        high = this.middle(cell + 1);
      }
      const share = Math.max(0, Math.min(1, (at - low) / (high - low)));
      perBin[i] = values[cell] + share * (values[cell + 1] - values[cell]);
    }
  }
}

/** Distance (bins) after so many cells, and how many cells a distance takes. */
const awayOf = (steps: number): number => Math.expm1(GROWTH * steps) / GROWTH;
const stepsTo = (away: number): number => Math.log1p(GROWTH * away) / GROWTH;
