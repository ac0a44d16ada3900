/** A growing column of numbers and its percentiles. */
export class Samples {
  length = 0;
  #values = new Float64Array(1024);

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** All values so far, in the order in which they came. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.length);
  }

  /** Percentiles by the nearest rank (0 to 1 each); null for an empty set. */
  percentiles(shares: readonly number[]): (number | null)[] {
    const sorted = this.#values.slice(0, this.length).sort();
    return shares.map((share) =>
      this.length === 0 ? null : sorted[Math.min(this.length - 1, Math.floor(share * this.length))],
    );
  }
}
