/**
 * All directed links of a world, made when they are first used.
 *
 * The base delay of an edge, its asymmetry and the route of each direction are hashes of the seed and
 * the two hosts, so a link is the same whoever uses it first. Routes are chosen for each direction by
 * itself, as equal-cost multipath does; a change of route draws another one.
 */
import { hashText, mix32, unitOf } from "@ttcs/units";
import { Link, type LinkSpec } from "./link.ts";

const BASE = hashText("base");
const ROUTE = hashText("route");
const UNEQUAL = hashText("unequal");
const UNEQUAL_NS = hashText("unequal by");
const LONGER = hashText("longer way");
const QUEUE = hashText("queue");

/** See the module head. Hosts by their index. */
export class Network {
  readonly #seed: number;
  readonly #specOf: (from: number, to: number) => LinkSpec;
  readonly #links = new Map<number, Link>();
  readonly #hosts: number;
  /** How often the route of a link was changed. */
  readonly #routes = new Map<number, number>();

  constructor(seed: number, hosts: number, specOf: (from: number, to: number) => LinkSpec) {
    this.#seed = seed;
    this.#hosts = hosts;
    this.#specOf = specOf;
  }

  link(from: number, to: number): Link {
    const key = from * this.#hosts + to;
    const known = this.#links.get(key);
    if (known) return known;
    const seed = mix32(mix32(this.#seed, QUEUE), key);
    const link = new Link(this.#specOf(from, to), this.#baseNs(from, to, 0), seed);
    this.#links.set(key, link);
    return link;
  }

  /** Gives a direction another route, longer by `addNs` as well. */
  reroute(from: number, to: number, addNs: number): void {
    const key = from * this.#hosts + to;
    const route = (this.#routes.get(key) ?? 0) + 1;
    this.#routes.set(key, route);
    this.link(from, to).baseNs = this.#baseNs(from, to, route) + addNs;
  }

  #baseNs(from: number, to: number, route: number): number {
    const spec = this.#specOf(from, to);
    const low = Math.min(from, to);
    const edge = mix32(mix32(this.#seed, low), Math.max(from, to));
    const draw = (purpose: number) => unitOf(mix32(edge, purpose));
    const flow = mix32(mix32(mix32(this.#seed, ROUTE), from * this.#hosts + to), route);
    const baseNs = spec.baseNs * (1 + spec.baseSpread * (2 * draw(BASE) - 1));
    const { share, nsMin, nsMax } = spec.asymmetry;
    const longer = draw(UNEQUAL) < share && draw(LONGER) < 0.5 === (from === low);
    const unequalNs = longer ? nsMin + (nsMax - nsMin) * draw(UNEQUAL_NS) : 0;
    return baseNs + spec.routeNs * unitOf(flow) + unequalNs;
  }
}
