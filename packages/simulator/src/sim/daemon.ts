/**
 * The reference's own time daemon: keeps its system clock near UTC by settings of the frequency.
 *
 * Every 16 s it compares with a source that errs by some microseconds, takes the crystal's error out
 * and the rest of the offset over a minute. What it tells the kernel of its error is true: the
 * offset that it saw and the source's error, growing by 500 ppm as the kernel lets it.
 */
import type { Prng } from "@ttcs/units";
import type { HostClock } from "./host-clock.ts";

/** Time between two looks at the source (ns). */
export const DAEMON_EVERY_NS = 16e9;
const SOURCE_SIGMA_NS = 5_000;
const HORIZON_S = 64;
const SOURCE_BOUND_NS = 100_000;
const KERNEL_GROWTH = 500e-6;

/** See the module head. */
export class TimeDaemon {
  readonly #clock: HostClock;
  readonly #random: Prng;
  /** What its source is wrong by (ns, positive: ahead of UTC); it does not know. */
  sourceErrorNs = 0;
  #lookedNs = 0;
  #errorNs = SOURCE_BOUND_NS;

  constructor(clock: HostClock, random: Prng) {
    this.#clock = clock;
    this.#random = random;
  }

  look(nowNs: number): void {
    const offsetNs = this.#clock.systemNsAt(nowNs) - nowNs - this.sourceErrorNs;
    const seenNs = offsetNs + SOURCE_SIGMA_NS * this.#random.normal();
    this.#clock.adjust(nowNs, -this.#clock.freqPpbAt(nowNs) - seenNs / HORIZON_S);
    this.#lookedNs = nowNs;
    this.#errorNs = Math.abs(seenNs) + SOURCE_BOUND_NS;
  }

  /** The kernel's maxerror (ns). */
  maxErrorNs(nowNs: number): number {
    return this.#errorNs + KERNEL_GROWTH * (nowNs - this.#lookedNs);
  }
}
