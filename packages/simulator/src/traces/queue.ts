/**
 * A FIFO queue with a memory: what a packet waits depends on what the one before it met.
 *
 * The queue is its unfinished work (ns of transmission) in front of a newcomer. Other traffic comes
 * as a Poisson stream of bursts whose lengths are exponential (M/M/1); between two packets every
 * burst is drawn, and a packet adds its own length, so that the second probe of a pair finds what
 * the first one found, less 10 us, plus what has come since, and the first one itself.
 *
 * After a long gap nothing is left of that memory, and the work is drawn from its stationary law
 * instead: none with probability 1 - load, otherwise exponential with mean burst / (1 - load)
 * (L. Kleinrock, "Queueing Systems", volume 1, 1975, the M/M/1 queue). "Long" is some relaxation
 * times, burst / (1 - sqrt(load))^2.
 */
import { assert, type Prng } from "@ttcs/units";

/** Relaxation times after which nothing is remembered: what is left then is below 1 %. */
const MEMORY_TIMES = 5;
/** Less than this is no queue (ns). */
const TOUCHED_NS = 0.5;

/** See the module head. */
export class FifoQueue {
  readonly #random: Prng;
  readonly #load: number;
  readonly #burstNs: number;
  readonly #memoryNs: number;
  #workNs = 0;
  #atNs = Number.NEGATIVE_INFINITY;

  /**
   * @param load share of the line that the other traffic takes (0 to below 1)
   * @param burstNs mean length of a burst of it
   */
  constructor(random: Prng, load: number, burstNs: number) {
    assert(load >= 0 && load < 1 && burstNs > 0, "a queue has a load below 1");
    this.#random = random;
    this.#load = load;
    this.#burstNs = burstNs;
    this.#memoryNs = (MEMORY_TIMES * burstNs) / (1 - Math.sqrt(load)) ** 2;
  }

  /**
   * How long a packet waits that comes at `atNs`, not earlier than the one before (ns; exactly 0:
   * it met nothing).
   *
   * @param ownNs time of its own transmission, for which those behind it wait
   */
  pass(atNs: number, ownNs: number): number {
    this.#advance(atNs);
    const waitNs = this.#workNs < TOUCHED_NS ? 0 : this.#workNs;
    this.#workNs += ownNs;
    return waitNs;
  }

  #advance(toNs: number): void {
    const random = this.#random;
    if (toNs - this.#atNs > this.#memoryNs) {
      const met = random.uniform() < this.#load;
      this.#workNs = met ? random.exponential(this.#burstNs / (1 - this.#load)) : 0;
      this.#atNs = toNs;
      return;
    }
    const everyNs = this.#load > 0 ? this.#burstNs / this.#load : Number.POSITIVE_INFINITY;
    // The next burst is drawn anew each time: a Poisson stream has no memory of its own.
    for (let nextNs = this.#atNs + random.exponential(everyNs); nextNs <= toNs; ) {
      this.#workNs = Math.max(0, this.#workNs - (nextNs - this.#atNs));
      this.#workNs += random.exponential(this.#burstNs);
      this.#atNs = nextNs;
      nextNs += random.exponential(everyNs);
    }
    this.#workNs = Math.max(0, this.#workNs - (toNs - this.#atNs));
    this.#atNs = toNs;
  }
}
