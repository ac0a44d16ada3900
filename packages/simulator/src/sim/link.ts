/**
 * One directed link: what a probe meets from one host to another.
 *
 * A probe passes the base delay of its route, the hops with their queues in order, and, where the
 * scenario says so, a delay drawn anew for each packet. What changes in time (route, cut, a delay
 * added one way) is set from outside.
 */
import { Prng } from "@ttcs/units";
import { type Hop, type HopSpec, openHop, PROBE_SERVICE_NS } from "./hop.ts";
import { type LawName, lawOf } from "./laws.ts";

/** What links are like. */
export interface LinkSpec {
  /** One-way delay of the shortest route (ns); each edge draws its own within +-`baseSpread` of it. */
  readonly baseNs: number;
  readonly baseSpread: number;
  /** Each direction's route is longer by up to this (ns, uniform by the hash of the flow). */
  readonly routeNs: number;
  /** Queues with memory, one after the other. */
  readonly hops: readonly HopSpec[];
  /** Delay drawn anew for each packet. */
  readonly law?: LawName;
  /** Probes lost (0 to 1). */
  readonly loss: number;
  /** On this share of the edges (0 to 1) one direction is longer than the other, by nsMin to nsMax. */
  readonly asymmetry: { readonly share: number; readonly nsMin: number; readonly nsMax: number };
}

/** See the module head. */
export class Link {
  readonly #random: Prng;
  readonly #hops: readonly Hop[];
  readonly #draw: ((random: Prng) => number) | undefined;
  /** Base delay of the present route (ns). */
  baseNs: number;
  /** Added to it for a time (ns). */
  extraNs = 0;
  /** Probes lost (0 to 1). */
  loss: number;
  /** Cuts in force; nothing passes while there is one. */
  cuts = 0;

  constructor(spec: LinkSpec, baseNs: number, seed: number) {
    this.#random = new Prng(seed);
    this.#hops = spec.hops.map((hop) => openHop(hop, this.#random));
    this.#draw = spec.law && lawOf(spec.law);
    this.baseNs = baseNs;
    this.loss = spec.loss;
  }

  get isCut(): boolean {
    return this.cuts > 0;
  }

  /** When a probe arrives that leaves at `atNs` (true ns); NaN: never. Times of leaving do not fall. */
  pass(atNs: number): number {
    if (this.isCut || (this.loss > 0 && this.#random.uniform() < this.loss)) return Number.NaN;
    let nowNs = atNs;
    const hops = this.#hops;
    for (let i = 0; i < hops.length; i++) {
      nowNs += hops[i].wait(nowNs, PROBE_SERVICE_NS) + PROBE_SERVICE_NS;
    }
    if (this.#draw) nowNs += this.#draw(this.#random);
    return nowNs + this.baseNs + this.extraNs;
  }
}
