/**
 * Token buckets by name: so many at once, then so many a second.
 *
 * A full bucket is forgotten, so that names that do not come again cost nothing; and so is every
 * bucket when there are too many names to be true.
 */

/** No more names than this are kept. */
const NAMES_MAX = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** See the module head. */
export class Buckets {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** Takes one token of `name`; false when it has none left. */
  take(name: string, nowMs: number): boolean {
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      if (this.#buckets.size >= NAMES_MAX) this.#buckets.clear();
      bucket = { tokens: this.#burst, atMs: nowMs };
      this.#buckets.set(name, bucket);
    }
    this.#fill(bucket, nowMs);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** Returns a token that `name` took. */
  giveBack(name: string): void {
    const bucket = this.#buckets.get(name);
    if (bucket) bucket.tokens = Math.min(this.#burst, bucket.tokens + 1);
  }

  /** Forgets who has all tokens; call now and then. */
  sweep(nowMs: number): void {
    for (const [name, bucket] of this.#buckets) {
      this.#fill(bucket, nowMs);
      if (bucket.tokens >= this.#burst) this.#buckets.delete(name);
    }
  }

  #fill(bucket: Bucket, nowMs: number): void {
    const grown = ((nowMs - bucket.atMs) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#burst, bucket.tokens + grown);
    bucket.atMs = nowMs;
  }
}
