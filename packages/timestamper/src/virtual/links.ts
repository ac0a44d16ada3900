/**
 * Link conditions of the laboratory: what a probe meets between two hosts.
 *
 * Problem: delays that are drawn anew for each probe are kinder than a network. A real queue has a
 * memory: the second probe of a pair meets what the first one met, and nobody overtakes.
 *
 * Approach: probing is one-way and open loop, so that a delay added to a receive stamp is the same to
 * the estimator as a delay of the network. A probe passes, in this order,
 *
 * - the link's base delay, drawn per edge and the same both ways; on some edges half of the asymmetry
 *   is added one way and taken away the other, which no estimator can see on one edge alone;
 * - loss;
 * - where there is cross traffic, an M/M/1 queue: packets arrive as a Poisson process of rate
 *   load / service, each takes an exponential time of mean `service`. Its backlog w, the time that a
 *   probe has to wait, follows Lindley's recursion from packet to packet,
 *   w' = max(0, w - gap) + service time (Kleinrock, "Queueing Systems" I, sections 3.2 and 8.2);
 * - now and then a pause, for which the queue serves nobody: the backlog grows by its length;
 * - exponential jitter, behind the queue. With a queue or pauses, a probe never leaves before the one
 *   in front of it.
 *
 * Between probes far apart the queue forgets: what is left of the past falls at least as fast as
 * exp(-t / T), T = service / (1 - sqrt(load))^2 (the relaxation time of M/M/1, Cohen, "The Single
 * Server Queue", section II.2.1). After twelve T a backlog is drawn from the stationary law, 0 with
 * probability 1 - load, else exponential of mean service / (1 - load); before that, packet by packet.
 *
 * What a seed repeats: base delay and asymmetry of each edge exactly, by the numbers of its hosts;
 * jitter, loss and pauses by the number of the probe; of the queue only the distribution, because
 * its packets are counted from the first probe on and probes are sent at real instants.
 *
 * Assumptions: a probe's own service time, the same for all, belongs to the base delay. Cannot show:
 * queues that several links share, routes that change, cross traffic in bursts; see the laboratory's
 * network namespaces for real queues.
 */
import { assert, hashText, mix32, unitOf } from "@ttcs/units";
import type { LinkConditions } from "../types.ts";

/** Edges draw their base delay within this share of it. */
const BASE_SPREAD = 0.2;
/** After so many relaxation times exp(-12) = 6e-6 of the past is left at most. */
const FORGOTTEN_AFTER = 12;
/**
 * Links that one host keeps in mind: far more than it has neighbours. Senders beyond, which only junk
 * can name, share one more that remembers nothing.
 */
const LINKS_MAX = 256;
const TWO_32 = 4294967296;
const BASE = hashText("link base");
const ASYMMETRIC = hashText("link asymmetric");
const DIRECTION = hashText("link direction");
const LOSS = hashText("link loss");
const JITTER = hashText("link jitter");
const PAUSE = hashText("link pause");
const PAUSE_LENGTH = hashText("link pause length");
const QUEUE = hashText("link queue");

const draw = (key: number, purpose: number): number => unitOf(mix32(key, purpose));

/**
 * What is added to the delay of the probes from one host to another, without jitter (ns, not
 * negative). Both hosts by their number.
 */
export function edgeDelayNs(
  link: LinkConditions,
  seed: number,
  fromHost: number,
  toHost: number,
): number {
  const low = Math.min(fromHost, toHost);
  const edge = mix32(mix32(seed, low), Math.max(fromHost, toHost));
  const baseNs = link.baseDelayNs * (1 + BASE_SPREAD * (2 * draw(edge, BASE) - 1));
  if (draw(edge, ASYMMETRIC) >= link.asymmetricShare) return baseNs;
  const upward = draw(edge, DIRECTION) < 0.5;
  const sign = upward === (fromHost === low) ? 1 : -1;
  return Math.max(0, baseNs + (sign * link.asymmetryNs) / 2);
}

const directedKey = (seed: number, fromHost: number, toHost: number): number =>
  mix32(mix32(seed, fromHost), toHost ^ DIRECTION);

const probeKey = (directed: number, probe: number): number =>
  mix32(mix32(directed, probe >>> 0), Math.floor(probe / TWO_32));

/**
 * The whole added delay of one probe on a link without queue and pauses (ns, not negative); NaN when
 * the probe is lost.
 */
export function probeDelayNs(
  link: LinkConditions,
  seed: number,
  fromHost: number,
  toHost: number,
  probe: number,
): number {
  const key = probeKey(directedKey(seed, fromHost, toHost), probe);
  if (draw(key, LOSS) < link.loss) return Number.NaN;
  const jitterNs = -link.jitterNs * Math.log(draw(key, JITTER));
  return edgeDelayNs(link, seed, fromHost, toHost) + jitterNs;
}

/** All links into one host, with the state of their queues. Nothing is allocated per probe. */
export class Links {
  readonly #link: LinkConditions;
  readonly #seed: number;
  readonly #hasMemory: boolean;
  /** Mean time between two packets of the cross traffic (ns), and after how long all is forgotten. */
  readonly #gapNs: number;
  readonly #forgottenNs: number;
  readonly #slots = new Map<number, number>();
  readonly #directed = new Uint32Array(LINKS_MAX + 1);
  readonly #baseNs = new Float64Array(LINKS_MAX + 1);
  /** Draws taken from the queue's stream so far. */
  readonly #drawn = new Uint32Array(LINKS_MAX + 1);
  /** When the last probe came to the queue, its backlog then, and when that probe left (ns). */
  readonly #atNs = new Float64Array(LINKS_MAX + 1);
  readonly #backlogNs = new Float64Array(LINKS_MAX + 1);
  readonly #leftNs = new Float64Array(LINKS_MAX + 1);
  #toHost = 0;

  constructor(link: LinkConditions, seed: number) {
    assert(link.queueLoad >= 0 && link.queueLoad < 1, "a queue's load is below 1");
    this.#link = link;
    this.#seed = seed;
    this.#hasMemory = link.queueLoad > 0 || link.spikeShare > 0;
    this.#gapNs = link.queueLoad > 0 ? link.queueServiceNs / link.queueLoad : Infinity;
    this.#forgottenNs =
      (FORGOTTEN_AFTER * link.queueServiceNs) / (1 - Math.sqrt(link.queueLoad)) ** 2;
  }

  /** The host at whose end these links are, by its number; a new number begins new queues. */
  setHost(toHost: number): void {
    if (toHost === this.#toHost) return;
    this.#toHost = toHost;
    this.#slots.clear();
  }

  /**
   * When a probe arrives that entered the link at `enteredNs`; NaN when the link loses it. Probes of
   * one sender are to be given in the order of their entering.
   */
  arrivalNs(fromHost: number, probe: number, enteredNs: number): number {
    const slot = this.#slotOf(fromHost);
    const link = this.#link;
    const key = probeKey(this.#directed[slot], probe);
    if (draw(key, LOSS) < link.loss) return Number.NaN;
    const jitterNs = -link.jitterNs * Math.log(draw(key, JITTER));
    const atNs = enteredNs + this.#baseNs[slot];
    if (!this.#hasMemory) return atNs + jitterNs;
    // Stamps of one sender may be out of order by some ns; the queue's own time never goes back.
    const queueNs = Math.max(atNs, this.#atNs[slot]);
    let backlogNs = this.#backlogAt(slot, queueNs);
    if (draw(key, PAUSE) < link.spikeShare) {
      backlogNs -= link.spikeNs * Math.log(draw(key, PAUSE_LENGTH));
    }
    this.#atNs[slot] = queueNs;
    this.#backlogNs[slot] = backlogNs;
    const leavesNs = Math.max(this.#leftNs[slot], queueNs + backlogNs + jitterNs);
    this.#leftNs[slot] = leavesNs;
    return leavesNs;
  }

  /** What is left of the backlog, and has come to it, when a probe arrives at the queue (ns). */
  #backlogAt(slot: number, queueNs: number): number {
    const { queueLoad, queueServiceNs } = this.#link;
    let backlogNs = this.#backlogNs[slot];
    let leftNs = queueNs - this.#atNs[slot];
    if (leftNs > this.#forgottenNs + backlogNs / (1 - queueLoad)) {
      const u = this.#draw(slot);
      return u < queueLoad ? (-queueServiceNs / (1 - queueLoad)) * Math.log(u / queueLoad) : 0;
    }
    for (;;) {
      // The Poisson process has no memory: its next gap may begin at a probe.
      const gapNs = -this.#gapNs * Math.log(this.#draw(slot));
      if (gapNs >= leftNs) return Math.max(0, backlogNs - leftNs);
      leftNs -= gapNs;
      backlogNs = Math.max(0, backlogNs - gapNs) - queueServiceNs * Math.log(this.#draw(slot));
    }
  }

  #draw(slot: number): number {
    return draw(mix32(this.#directed[slot], this.#drawn[slot]++), QUEUE);
  }

  #slotOf(fromHost: number): number {
    const known = this.#slots.get(fromHost);
    if (known !== undefined) return known;
    const slot = this.#slots.size;
    if (slot < LINKS_MAX) this.#slots.set(fromHost, slot);
    this.#directed[slot] = directedKey(this.#seed, fromHost, this.#toHost);
    this.#baseNs[slot] = edgeDelayNs(this.#link, this.#seed, fromHost, this.#toHost);
    this.#atNs[slot] = Number.NEGATIVE_INFINITY;
    this.#backlogNs[slot] = 0;
    this.#leftNs[slot] = Number.NEGATIVE_INFINITY;
    return slot;
  }
}
