/**
 * The median of a column that changes a little from time to time.
 *
 * As values come in they are counted below a bracket round the last median or set aside inside it;
 * the rank is then looked for among those inside. Exact; where the median has left the bracket, all
 * are selected from.
 */
import { medianOf, selectKth } from "./quantile.ts";

/** Half the width of the bracket, as a share of the median: 8 % of normal residuals lie inside. */
const BRACKET = 0.1;

/** Call `begin`, `add` each value (from 0 up), then `end`. */
export class RunningMedian {
  readonly #values: Float64Array;
  readonly #inside: Float64Array;
  #count = 0;
  #insideCount = 0;
  #belowCount = 0;
  #low = 0;
  #high = 0;

  /** @param capacity values that are added at the most. */
  constructor(capacity: number) {
    this.#values = new Float64Array(capacity);
    this.#inside = new Float64Array(capacity);
  }

  begin(): void {
    this.#count = 0;
    this.#insideCount = 0;
    this.#belowCount = 0;
  }

  add(value: number): void {
    this.#values[this.#count++] = value;
    if (value < this.#low) this.#belowCount++;
    else if (value <= this.#high) this.#inside[this.#insideCount++] = value;
  }

  /** The upper median of what was added; 0 when there is nothing. */
  end(): number {
    const rank = (this.#count >> 1) - this.#belowCount;
    const isInside = rank >= 0 && rank < this.#insideCount;
    const median = isInside
      ? selectKth(this.#inside, this.#insideCount, rank)
      : medianOf(this.#values, this.#count);
    this.#low = median * (1 - BRACKET);
    this.#high = median * (1 + BRACKET);
    return median;
  }
}
