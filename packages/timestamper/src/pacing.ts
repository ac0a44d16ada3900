/**
 * When the next pair goes to which neighbour.
 *
 * Problem: senders in step with each other would meet in the same queue again and again.
 * Approach: each neighbour has a schedule of its own, with intervals drawn within +-25 % of the mean
 * (uniform, seeded), from a random first instant. Nothing waits for an answer. A late sender catches
 * up with one pair per neighbour and lets the others go: a burst would only measure itself.
 *
 * What is due at once leaves in an order that begins somewhere else each time: the first datagram of
 * a call finds cold caches and is some 100 ns slower, which always meeting the same neighbour would
 * be an asymmetry of that edge.
 *
 * Assumptions: time is a number of ns that grows. With read-outs every 10 ms up to 200 pairs per
 * second and neighbour are reached.
 */
import { assert, Prng, SECOND_NS } from "@ttcs/units";
import type { ProbeTarget } from "./types.ts";

/** Intervals lie within this share of the mean. */
const JITTER = 0.25;
/** A new neighbour is probed from this long after it was named on (ns): it may not know us yet. */
const START_NS = 300e6;
/** The pair that is due, and one to catch up. */
const PAIRS_AT_ONCE = 2;

interface Schedule {
  readonly target: ProbeTarget;
  dueNs: number;
}

/** Schedules of all neighbours. */
export class Pacer {
  readonly #prng: Prng;
  readonly #firstPair: number;
  /** Next pair number by host number; outlives the edge, so that no number is used twice. */
  readonly #nextPair = new Map<number, number>();
  #schedules: Schedule[] = [];
  #periodNs = Number.POSITIVE_INFINITY;

  /**
   * @param seed seed of the jitter.
   * @param firstPair number of each edge's first pair (whole, not negative); larger than that of the
   *   process before, so that its late stamps are not taken for ours.
   */
  constructor(seed: number, firstPair: number) {
    assert(Number.isSafeInteger(2 * firstPair + 1), "a pair number leaves room for its probes");
    this.#prng = new Prng(seed);
    this.#firstPair = firstPair;
  }

  /** Probes these neighbours from soon on; those that stay keep their place in the schedule. */
  setTargets(targets: readonly ProbeTarget[], pairsPerSecond: number, nowNs: number): void {
    const periodNs = pairsPerSecond > 0 ? SECOND_NS / pairsPerSecond : Number.POSITIVE_INFINITY;
    const samePeriod = periodNs === this.#periodNs;
    const old = new Map(this.#schedules.map((schedule) => [schedule.target.hostNumber, schedule]));
    this.#periodNs = periodNs;
    this.#schedules = targets.map((target) => {
      const kept = samePeriod ? old.get(target.hostNumber) : undefined;
      return { target, dueNs: kept?.dueNs ?? nowNs + START_NS + this.#prng.uniform() * periodNs };
    });
  }

  /** Appends what is due at `nowNs`: targets, and beside each the number of its pair. */
  takeDue(nowNs: number, targets: ProbeTarget[], pairs: number[]): void {
    const count = this.#schedules.length;
    const first = Math.floor(this.#prng.uniform() * count);
    for (let turn = 0; turn < count; turn++) {
      const schedule = this.#schedules[(first + turn) % count];
      for (let i = 0; i < PAIRS_AT_ONCE && schedule.dueNs <= nowNs; i++) {
        const { hostNumber } = schedule.target;
        const pair = this.#nextPair.get(hostNumber) ?? this.#firstPair;
        this.#nextPair.set(hostNumber, pair + 1);
        targets.push(schedule.target);
        pairs.push(pair);
        schedule.dueNs += this.#periodNs * this.#prng.between(1 - JITTER, 1 + JITTER);
      }
      schedule.dueNs = Math.max(schedule.dueNs, nowNs);
    }
  }
}
