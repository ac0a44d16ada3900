/**
 * A queue with memory on a probe's way: one hop of a link.
 *
 * Problem: what a coded pair tells is whether both probes met the same queue. Delays drawn anew for
 * each probe cannot show that.
 *
 * Approach: the backlog w (ns of work in front of a newcomer) of a first-in-first-out server. It falls
 * by 1 ns per ns and jumps with every packet. A probe waits for w and adds its own service time, so a
 * second probe waits behind the first one, and cross traffic between them spreads the pair. Two kinds
 * of cross traffic:
 *
 * - Poisson (M/G/1): packets at rate load / service, times fixed, exponential, or mixed as on the
 *   Internet (64, 576 and 1500 bytes as 5 : 2 : 3). The queue is followed packet by packet for eight
 *   relaxation times T = service / (1 - sqrt(load))^2 (that of M/M/1, Cohen, "The Single Server Queue",
 *   II.2.1; the others forget sooner); a backlog older than that is drawn from the stationary law: a
 *   geometric number of residual service times (Pollaczek and Khinchine; Asmussen, "Applied
 *   Probability and Queues", VIII.5).
 * - bursts: a fluid that comes at `peak` times the line's rate for exponential on-times and not at all
 *   for exponential off-times (Anick, Mitra and Sondhi, BSTJ 61(8), 1982).
 *
 * Queues that several links share are not modelled: each directed link has its own.
 */
import { assert, type Prng } from "@ttcs/units";

/** Cross traffic of one hop. */
export type HopSpec =
  | {
      readonly kind: "poisson";
      /** Share of the line that is taken (0 to below 1). */
      readonly load: number;
      /** Mean service time of a packet (ns). */
      readonly serviceNs: number;
      readonly service: "exponential" | "fixed" | "mixed";
    }
  | {
      readonly kind: "bursts";
      /** Rate of a burst as a multiple of the line's; above 1 a queue grows. */
      readonly peak: number;
      /** Mean length of a burst and of the pause between two (ns). */
      readonly onNs: number;
      readonly offNs: number;
    };

/** A hop with the state of its queue. */
export interface Hop {
  /** How long a probe waits that comes at `atNs`; times do not fall. `ownNs` is its service time. */
  wait(atNs: number, ownNs: number): number;
}

/** Time that a probe itself takes on the line (ns): 100 bytes at 10 Gbit/s. */
export const PROBE_SERVICE_NS = 80;
/** exp(-8) = 3e-4 of the past is left at most. */
const FORGOTTEN_AFTER = 8;
/** Sizes of packets on the Internet, as multiples of the mean of 597 bytes, and their shares. */
const MIX = [64 / 597, 576 / 597, 1500 / 597];
const MIX_SHARES = [0.5, 0.2, 0.3];
/** A burst hop older than so many cycles begins anew. */
const CYCLES_KEPT = 64;

export function openHop(spec: HopSpec, random: Prng): Hop {
  return spec.kind === "poisson" ? new PoissonHop(spec, random) : new BurstHop(spec, random);
}

class PoissonHop implements Hop {
  readonly #random: Prng;
  readonly #spec: Extract<HopSpec, { kind: "poisson" }>;
  readonly #gapNs: number;
  readonly #forgottenNs: number;
  #atNs = Number.NEGATIVE_INFINITY;
  #backlogNs = 0;

  constructor(spec: Extract<HopSpec, { kind: "poisson" }>, random: Prng) {
    assert(spec.load >= 0 && spec.load < 1, "a queue's load is below 1");
    this.#spec = spec;
    this.#random = random;
    this.#gapNs = spec.load > 0 ? spec.serviceNs / spec.load : Number.POSITIVE_INFINITY;
    this.#forgottenNs = (FORGOTTEN_AFTER * spec.serviceNs) / (1 - Math.sqrt(spec.load)) ** 2;
  }

  wait(atNs: number, ownNs: number): number {
    const nowNs = Math.max(atNs, this.#atNs);
    const waitNs = this.#backlogAt(nowNs);
    this.#atNs = nowNs;
    this.#backlogNs = waitNs + ownNs;
    return nowNs - atNs + waitNs;
  }

  #backlogAt(nowNs: number): number {
    const { load } = this.#spec;
    const random = this.#random;
    let leftNs = nowNs - this.#atNs;
    let backlogNs = this.#backlogNs;
    if (leftNs > this.#forgottenNs + backlogNs / (1 - load)) return this.#stationary();
    for (;;) {
      // The Poisson process has no memory: its next gap may begin at a probe.
      const gapNs = random.exponential(this.#gapNs);
      if (!(gapNs < leftNs)) return Math.max(0, backlogNs - leftNs);
      leftNs -= gapNs;
      backlogNs = Math.max(0, backlogNs - gapNs) + this.#serviceNs();
    }
  }

  #stationary(): number {
    const random = this.#random;
    let backlogNs = 0;
    while (random.uniform() < this.#spec.load) backlogNs += this.#residualNs();
    return backlogNs;
  }

  #serviceNs(): number {
    const { service, serviceNs } = this.#spec;
    if (service === "exponential") return this.#random.exponential(serviceNs);
    if (service === "fixed") return serviceNs;
    let u = this.#random.uniform();
    let size = 0;
    while (size < 2 && u >= MIX_SHARES[size]) u -= MIX_SHARES[size++];
    return serviceNs * MIX[size];
  }

  /** What is left of a packet that a random instant meets: longer packets are met more often. */
  #residualNs(): number {
    const { service, serviceNs } = this.#spec;
    if (service === "exponential") return this.#random.exponential(serviceNs);
    if (service === "fixed") return this.#random.uniform() * serviceNs;
    let u = this.#random.uniform();
    let size = 0;
    while (size < 2 && u >= MIX_SHARES[size] * MIX[size]) u -= MIX_SHARES[size] * MIX[size++];
    return this.#random.uniform() * serviceNs * MIX[size];
  }
}

class BurstHop implements Hop {
  readonly #random: Prng;
  readonly #spec: Extract<HopSpec, { kind: "bursts" }>;
  #on = false;
  #untilNs = 0;
  #atNs = 0;
  #backlogNs = 0;

  constructor(spec: Extract<HopSpec, { kind: "bursts" }>, random: Prng) {
    const load = (spec.peak * spec.onNs) / (spec.onNs + spec.offNs);
    assert(load < 1, "a queue's load is below 1");
    this.#spec = spec;
    this.#random = random;
    this.#untilNs = random.exponential(spec.offNs);
  }

  wait(atNs: number, ownNs: number): number {
    const nowNs = Math.max(atNs, this.#atNs);
    this.#skip(nowNs);
    while (this.#untilNs <= nowNs) {
      this.#pass(this.#untilNs);
      this.#on = !this.#on;
      this.#untilNs += this.#random.exponential(this.#on ? this.#spec.onNs : this.#spec.offNs);
    }
    this.#pass(nowNs);
    const waitNs = this.#backlogNs;
    this.#backlogNs += ownNs;
    return nowNs - atNs + waitNs;
  }

  /** A long silence is forgotten: the queue begins anew, empty, some cycles ago. */
  #skip(nowNs: number): void {
    const keptNs = CYCLES_KEPT * (this.#spec.onNs + this.#spec.offNs);
    if (nowNs - this.#atNs < 2 * keptNs) return;
    this.#atNs = nowNs - keptNs;
    this.#on = false;
    this.#untilNs = this.#atNs + this.#random.exponential(this.#spec.offNs);
    this.#backlogNs = 0;
  }

  #pass(toNs: number): void {
    const growth = this.#on ? this.#spec.peak - 1 : -1;
    this.#backlogNs = Math.max(0, this.#backlogNs + growth * (toNs - this.#atNs));
    this.#atNs = toNs;
  }
}
