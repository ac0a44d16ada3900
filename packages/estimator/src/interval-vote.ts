/**
 * The value on which most of several intervals agree.
 *
 * Problem: some of those who say where a clock is lie, and all may be wrong within what their paths
 * allow. Approach: Marzullo's (K. Marzullo and S. Owicki, "Maintaining the time in a distributed
 * system", PODC 1983): the region in which most intervals overlap. Every honest interval holds the
 * truth, so as long as more than half of them are honest, a region with fewer is not it. Inside the
 * region the median of the estimates that lie there is taken: paths are rarely as lopsided as they
 * could be.
 *
 * It cannot see: which of two regions is right that as many agree on; the first is taken.
 */

/** Where most agree. */
export interface IntervalVote {
  /** The best guess (ns). */
  valueNs: number;
  /** The region (ns). */
  lowNs: number;
  highNs: number;
  /** Weight of the intervals that hold the region. */
  agreeing: number;
}

/** Intervals of one vote, reused from vote to vote. */
export class IntervalBallot {
  #lowNs = new Float64Array(16);
  #highNs = new Float64Array(16);
  #atNs = new Float64Array(16);
  #weight = new Float64Array(16);
  #inside = new Float64Array(16);
  #count = 0;
  #sum = 0;
  readonly #vote: IntervalVote = { valueNs: 0, lowNs: 0, highNs: 0, agreeing: 0 };

  /** Intervals, and their weight in all. */
  get count(): number {
    return this.#count;
  }
  get weight(): number {
    return this.#sum;
  }

  clear(): void {
    this.#count = 0;
    this.#sum = 0;
  }

  /** An interval [low, high] with its own best guess; no numbers: it is not counted. */
  add(lowNs: number, atNs: number, highNs: number, weight = 1): void {
    if (!(lowNs <= highNs) || !Number.isFinite(lowNs + atNs + highNs)) return;
    if (this.#count === this.#lowNs.length) this.#grow();
    const i = this.#count++;
    this.#lowNs[i] = lowNs;
    this.#atNs[i] = atNs;
    this.#highNs[i] = highNs;
    this.#weight[i] = weight;
    this.#sum += weight;
  }

  /** Counts; the object returned is reused. Without any interval nobody agrees. */
  vote(): IntervalVote {
    const count = this.#count;
    const vote = this.#vote;
    vote.agreeing = 0;
    vote.valueNs = Number.NaN;
    // The best region begins at some interval's low end: tens of intervals, so each is tried.
    for (let i = 0; i < count; i++) {
      const lowNs = this.#lowNs[i];
      let agreeing = 0;
      let highNs = Number.POSITIVE_INFINITY;
      for (let k = 0; k < count; k++) {
        if (this.#lowNs[k] > lowNs || this.#highNs[k] < lowNs) continue;
        agreeing += this.#weight[k];
        if (this.#highNs[k] < highNs) highNs = this.#highNs[k];
      }
      if (agreeing <= vote.agreeing) continue;
      vote.agreeing = agreeing;
      vote.lowNs = lowNs;
      vote.highNs = highNs;
    }
    if (vote.agreeing > 0) vote.valueNs = this.#middle(vote.lowNs, vote.highNs);
    return vote;
  }

  /** Median of the guesses within the region; its middle when there are none. */
  #middle(lowNs: number, highNs: number): number {
    const inside = this.#inside;
    let n = 0;
    for (let i = 0; i < this.#count; i++) {
      const atNs = this.#atNs[i];
      if (atNs < lowNs || atNs > highNs) continue;
      let at = n++;
      for (; at > 0 && inside[at - 1] > atNs; at--) inside[at] = inside[at - 1];
      inside[at] = atNs;
    }
    if (n === 0) return (lowNs + highNs) / 2;
    return (inside[(n - 1) >> 1] + inside[n >> 1]) / 2;
  }

  #grow(): void {
    const larger = (column: Float64Array) => {
      const out = new Float64Array(2 * column.length);
      out.set(column);
      return out;
    };
    this.#lowNs = larger(this.#lowNs);
    this.#highNs = larger(this.#highNs);
    this.#atNs = larger(this.#atNs);
    this.#weight = larger(this.#weight);
    this.#inside = larger(this.#inside);
  }
}
