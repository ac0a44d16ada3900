/**
 * The paper's method on the very probes of a simulated world, as a clock that is disciplined by it.
 *
 * It listens to what agents send each other, the stamps of every edge on the raw clocks of both ends,
 * and every 2 s does with them what the paper does: a soft-margin line through each edge's window, and
 * plain least squares over one flat mesh of all edges, near and far alike, each window by itself (Geng
 * et al., NSDI 2018).
 *
 * What is compared: a clock that runs along its host's newest line, offset and rate, until the next one
 * is known. A line is known 60 ms after the last flush of its window has left, about when corrections
 * of the same round arrive; nothing is judged by a window that is not known by then. Clocks are judged at
 * the instants and by the hosts of `RegionFigures.across`: ten times a second, hosts that are LOCKED and
 * outside the region that leads. Ours are system clocks against domain time, with all that steering
 * does to them; the twin's have no ticks, no late writes and no steps, which favours it.
 *
 * It has no failover: the reference is the world's first host, throughout.
 */

import { create } from "@bufbuild/protobuf";
import { type Host, newHost, solveRound, type Track } from "@ttcs/coordinator/core";
import { fitEdge, type ProbeColumns } from "@ttcs/estimator";
import {
  type EdgeFit,
  EdgeFitSchema,
  type ExchangeFlush,
  HelloSchema,
  type StampColumn,
  unpackStamps,
} from "@ttcs/protocol";
import { diffNs, ROUND_NS, rawNanos, WINDOW_NS } from "@ttcs/units";
import { LOOK_EVERY_NS, type Percentiles, percentilesOf } from "../sim/figures.ts";
import { farHosts } from "../sim/region-figures.ts";
import { Samples } from "../sim/samples.ts";
import type { SimHost } from "../sim/sim-host.ts";
import type { Simulation } from "../sim/simulation.ts";
import { type Domain, domainOf } from "../sim/truth.ts";

/** The paper's windows follow one another. */
const ROUNDS = BigInt(WINDOW_NS / ROUND_NS);
/** Probes of both directions that a line needs. */
const PROBES_MIN = 10;
const CAPACITY = 8192;
/** From a window's last flushes to the line that is made of them: as long as ours are under way (ns). */
const KNOWN_AFTER_NS = 60e6;

const probes = new Float64Array(CAPACITY);
const stamps = new Float64Array(CAPACITY);

/** One end's stamps by probe number, since its host's zero (ns). */
interface Side {
  readonly sent: Map<number, number>;
  readonly received: Map<number, number>;
}

/** See the module head. */
export class PaperTwin {
  readonly #world: Simulation;
  readonly #settledNs: number;
  readonly #sides = new Map<string, Side>();
  readonly #across = new Samples();
  #window = 0n;
  #isAwaited = false;
  #domain: Domain | undefined;
  /** Tracks of the last solve against the reference's raw clock. */
  #tracks: ReadonlyMap<SimHost, Track> = new Map();

  /** @param settleS from when on errors count (s) */
  constructor(world: Simulation, settleS: number) {
    this.#world = world;
    this.#settledNs = settleS * 1e9;
    world.onFlush = (flush) => this.#take(flush);
    world.observe(LOOK_EVERY_NS, () => this.#look());
  }

  /** Errors of hosts outside the region that leads (ns). */
  get across(): Percentiles {
    return percentilesOf(this.#across);
  }

  #take(flush: ExchangeFlush): void {
    const round = flush.header?.round ?? 0n;
    const window = round / ROUNDS;
    if (window > this.#window) {
      this.#window = window;
      this.#isAwaited = false;
      this.#sides.clear();
    }
    if (round % ROUNDS === ROUNDS - 1n && !this.#isAwaited) {
      this.#isAwaited = true;
      this.#world.later(KNOWN_AFTER_NS, () => this.#solve());
    }
    const from = this.#hostOf(flush.fromHost);
    if (!from) return;
    const key = `${flush.fromHost} ${flush.toHost}`;
    const side = this.#sides.get(key) ?? { sent: new Map(), received: new Map() };
    this.#sides.set(key, side);
    const zeroNs = Number(flush.baseRawNs - from.clock.rawZeroNs);
    add(flush.sent, zeroNs, side.sent);
    add(flush.received, zeroNs, side.received);
  }

  #hostOf(number: number): SimHost | undefined {
    return this.#world.hosts.find((h) => h.number === number);
  }

  #solve(): void {
    const fits: EdgeFit[] = [];
    for (const [key, ours] of this.#sides) {
      const [owner, other] = key.split(" ").map(Number);
      const theirs = owner < other && this.#sides.get(`${other} ${owner}`);
      const fit = theirs && this.#fit(owner, other, ours, theirs);
      if (fit) fits.push(fit);
    }
    const hosts = new Map<number, Host>();
    for (const { number, id } of this.#world.hosts) {
      hosts.set(number, newHost(number, create(HelloSchema, { hostId: id }), number));
    }
    const reference = this.#world.hosts[0];
    if (!solveRound(hosts.get(reference.number)!, hosts, fits, { robust: false })) return;
    // A host that no window has reached keeps its line.
    const tracks = new Map(this.#tracks);
    for (const host of this.#world.hosts) {
      const track = hosts.get(host.number)?.track;
      if (track) tracks.set(host, track);
    }
    this.#tracks = tracks;
  }

  #look(): void {
    const { hosts, nowNs } = this.#world;
    this.#domain = domainOf(hosts, this.#domain);
    if (nowNs < this.#settledNs || !this.#domain) return;
    for (const host of farHosts(hosts, this.#domain, nowNs)) {
      const track = this.#tracks.get(host);
      if (track) this.#across.push(Math.abs(this.#errorNs(host, track)));
    }
  }

  /** What a clock along the host's line shows now, against the reference's raw clock (ns). */
  #errorNs({ clock }: SimHost, { hostZeroNs, referenceZeroNs, filter }: Track): number {
    const { nowNs, hosts } = this.#world;
    const reference = hosts[0].clock;
    const sinceNs = reference.rawNsAt(nowNs) - Number(referenceZeroNs - reference.rawZeroNs);
    const zeroNs = diffNs(hostZeroNs, rawNanos(clock.rawZeroNs));
    const foundNs = zeroNs + sinceNs + filter.predict(sinceNs * 1e-9).offsetNs;
    return clock.rawNsAt(nowNs) - foundNs;
  }

  #fit(owner: number, other: number, ours: Side, theirs: Side): EdgeFit | undefined {
    const [a, b] = [this.#hostOf(owner), this.#hostOf(other)];
    const firstA = least(ours);
    const firstB = least(theirs);
    const forward = join(ours.sent, theirs.received, firstA, firstB);
    const reverse = join(theirs.sent, ours.received, firstB, firstA);
    if (!a || !b || Math.min(forward.length, reverse.length) < PROBES_MIN) return undefined;
    const carry = { sigmaNs: 0, boundNs: 1 };
    const result = fitEdge(
      {
        forward,
        reverse,
        ownerCarry: carry,
        otherCarry: carry,
        sentForwardCount: ours.sent.size,
        sentReverseCount: theirs.sent.size,
      },
      "paper",
    );
    if (!result.trusted) return undefined;
    const { trusted: _, ...fields } = result;
    return create(EdgeFitSchema, {
      owner,
      other,
      ...fields,
      ownerBaseRawNs: a.clock.rawZeroNs + BigInt(firstA),
      otherBaseRawNs: b.clock.rawZeroNs + BigInt(firstB),
    });
  }
}

function add(column: StampColumn | undefined, zeroNs: number, to: Map<number, number>): void {
  const count = unpackStamps(column, probes, stamps);
  for (let i = 0; i < count; i++) to.set(probes[i], zeroNs + stamps[i]);
}

/** A whole number of ns before all stamps of an end. */
function least({ sent, received }: Side): number {
  let first = Number.POSITIVE_INFINITY;
  for (const ns of sent.values()) first = Math.min(first, ns);
  for (const ns of received.values()) first = Math.min(first, ns);
  return Math.floor(first);
}

function join(
  sent: ReadonlyMap<number, number>,
  received: ReadonlyMap<number, number>,
  sentZeroNs: number,
  receivedZeroNs: number,
): ProbeColumns {
  const both = [...sent.keys()].filter((p) => received.has(p)).sort((x, y) => x - y);
  return {
    length: both.length,
    probe: Float64Array.from(both),
    txNs: Float64Array.from(both, (p) => sent.get(p)! - sentZeroNs),
    rxNs: Float64Array.from(both, (p) => received.get(p)! - receivedZeroNs),
  };
}
