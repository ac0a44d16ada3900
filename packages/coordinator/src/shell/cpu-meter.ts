/**
 * Processor time of this thread that the domains' cores take.
 *
 * Problem: asking the kernel for the time costs some microseconds, as much as it takes to hear a report,
 * and there are thousands of reports a second. Approach: what is long (rounds, beats, what they say) is
 * measured each time; of what is short and alike, one of many is measured and stands for the others.
 */

/** One of so many short works is measured. */
const SAMPLED_OF = 32;

/** See the module head. */
export class CpuMeter {
  readonly #usedUs: () => number;
  #totalUs = 0;
  /** Of that, what was measured as a whole. */
  #wholeUs = 0;
  #isInside = false;
  #turn = 0;

  /** @param usedUs processor time of this thread so far */
  constructor(usedUs: () => number = threadCpuUs) {
    this.#usedUs = usedUs;
  }

  /** Since the start (s). */
  get totalS(): number {
    return this.#totalUs / 1e6;
  }

  /** Measures a long work; one inside of another counts once. */
  whole<T>(work: () => T): T {
    if (this.#isInside) return work();
    this.#isInside = true;
    const beganUs = this.#usedUs();
    try {
      return work();
    } finally {
      this.#isInside = false;
      const tookUs = this.#usedUs() - beganUs;
      this.#totalUs += tookUs;
      this.#wholeUs += tookUs;
    }
  }

  /** A short work, one of many; long ones inside of it are measured as such. */
  sampled<T>(work: () => T): T {
    if (this.#turn++ % SAMPLED_OF !== 0) return work();
    const wholeUs = this.#wholeUs;
    // Asking takes as long as the work: what it takes is found out first, and taken off.
    const askedUs = this.#usedUs();
    const beganUs = this.#usedUs();
    const askingUs = beganUs - askedUs;
    try {
      return work();
    } finally {
      const insideUs = this.#wholeUs - wholeUs;
      this.#totalUs += SAMPLED_OF * Math.max(0, this.#usedUs() - beganUs - askingUs - insideUs);
    }
  }
}

function threadCpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
