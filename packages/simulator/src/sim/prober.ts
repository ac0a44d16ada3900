/**
 * Sends one host's coded pairs: when each leaves, and when it arrives at the other end.
 *
 * A batch ahead, pair by pair along each link, so that queues see their probes in order and no probe
 * needs an event: leaving goes into the sender's outbox, arriving into the receiver's inbox, and both
 * are stamped with the batch in whose time they fall. Intervals lie within +-25 % of the mean, as the
 * shipped pacing has it; a new neighbour is probed from 300 ms on.
 */
import type { Prng } from "@ttcs/units";
import type { Link } from "./link.ts";
import type { Mail } from "./mail.ts";

const JITTER = 0.25;
const START_NS = 300e6;
/** Spacing of a pair varies by so much (share, both ways). */
const SPACING_JITTER = 0.05;

/** The other end of a link. */
export interface Receiver {
  /** Number by which it goes at present. */
  readonly number: number;
  readonly alive: boolean;
  readonly inbox: Mail;
}

/** Where pairs go. */
export interface Destination {
  readonly number: number;
  readonly receiver: Receiver;
  readonly link: Link;
}

/** See the module head. */
export class Prober {
  readonly #random: Prng;
  readonly #spacingNs: number;
  #destinations: readonly Destination[] = [];
  #dueNs = new Float64Array(0);
  #pair = new Float64Array(0);
  /** Next pair by number of the other end; outlives an edge, so that no number is used twice. */
  readonly #next = new Map<number, number>();
  #firstPair = 0;
  #periodNs = Number.POSITIVE_INFINITY;
  /** Probes sent since the start. */
  sentCount = 0;

  constructor(spacingNs: number, random: Prng) {
    this.#spacingNs = spacingNs;
    this.#random = random;
  }

  /** Probes these from soon on; those that stay keep their place in the schedule. */
  setDestinations(to: readonly Destination[], pairsPerSecond: number, nowNs: number): void {
    this.#keepNumbers();
    const periodNs = pairsPerSecond > 0 ? 1e9 / pairsPerSecond : Number.POSITIVE_INFINITY;
    const due = new Map(this.#destinations.map((d, i) => [d.receiver, this.#dueNs[i]]));
    const same = periodNs === this.#periodNs;
    this.#dueNs = Float64Array.from(to, (d) => {
      const kept = same ? due.get(d.receiver) : undefined;
      return kept ?? nowNs + START_NS + this.#random.uniform() * periodNs;
    });
    this.#pair = Float64Array.from(to, (d) => this.#next.get(d.number) ?? this.#firstPair);
    this.#destinations = to;
    this.#periodNs = periodNs;
  }

  /** Numbers of pairs begin anew, above all that were used; nobody is probed. */
  restart(firstPair: number): void {
    this.#destinations = [];
    this.#next.clear();
    this.#firstPair = firstPair;
  }

  /** What was due while nothing could be sent is let go. */
  skipTo(nowNs: number): void {
    for (let i = 0; i < this.#dueNs.length; i++) {
      if (this.#dueNs[i] < nowNs) {
        this.#dueNs[i] = nowNs + this.#random.uniform() * this.#periodNs;
      }
    }
  }

  /** Sends all pairs that are due before `untilNs` in the name of host number `own`. */
  sendUntil(untilNs: number, own: number, outbox: Mail): void {
    for (let i = 0; i < this.#destinations.length; i++) {
      const { number, receiver, link } = this.#destinations[i];
      const heard = receiver.alive && receiver.number === number;
      let dueNs = this.#dueNs[i];
      while (dueNs < untilNs) {
        const probe = 2 * this.#pair[i]++;
        const spread = 1 + SPACING_JITTER * (2 * this.#random.uniform() - 1);
        const secondNs = dueNs + this.#spacingNs * spread;
        outbox.push(number, probe, dueNs);
        outbox.push(number, probe + 1, secondNs);
        this.sentCount += 2;
        if (heard) {
          const { inbox } = receiver;
          const first = link.pass(dueNs);
          if (first >= 0) inbox.push(own, probe, first);
          const second = link.pass(secondNs);
          if (second >= 0) inbox.push(own, probe + 1, second);
        }
        dueNs += this.#periodNs * (1 - JITTER + 2 * JITTER * this.#random.uniform());
      }
      this.#dueNs[i] = dueNs;
    }
  }

  #keepNumbers(): void {
    this.#destinations.forEach((d, i) => {
      this.#next.set(d.number, this.#pair[i]);
    });
  }
}
