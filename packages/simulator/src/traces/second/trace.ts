/**
 * A second maker of recordings, built differently on purpose: what holds for the estimator must
 * hold in worlds that were not there when it was made.
 *
 * An event queue drives probes over a fabric of shared queues (`fabric.ts`); clocks flicker instead
 * of walking (`clock.ts`); stamps are ticks with tails (`stamps.ts`); pairs leave in a Poisson stream;
 * the mesh is a circulant graph. With `trace.ts` it shares the format of a recording and the random
 * generator, and nothing else.
 */
import { assert, hashText, mix32, Prng, SECOND_NS } from "@ttcs/units";
import type { TracePlan } from "../../replay/plan.ts";
import type { ProbeTruthSink, RowSink, TruthSink } from "../trace.ts";
import { CALM, FlickerClock, HEATED, type Sine } from "./clock.ts";
import { EventQueue } from "./event-queue.ts";
import { Fabric, type Hop } from "./fabric.ts";
import { cardStamp, programStamp, type Stamper } from "./stamps.ts";

/** The worlds by name. */
export type SecondWorldName = "idle" | "bursts" | "software" | "biased" | "swing";

interface SecondWorld {
  readonly load: number;
  readonly stamp: Stamper;
  readonly sines: readonly Sine[];
  /** Share of the edges with a longer way in one direction. */
  readonly biasedShare: number;
}

const bursts = { load: 0.25, stamp: cardStamp, sines: CALM, biasedShare: 0 };
const worlds: Readonly<Record<SecondWorldName, SecondWorld>> = {
  idle: { ...bursts, load: 0.01 },
  bursts,
  software: { ...bursts, stamp: programStamp },
  biased: { ...bursts, biasedShare: 0.15 },
  swing: { ...bursts, sines: HEATED },
};

/** What to make. */
export interface SecondOptions {
  readonly seed: number;
  readonly world: SecondWorldName;
  /** At least 3. */
  readonly hosts: number;
  readonly seconds: number;
  /** Coded pairs per second on each directed edge, in the mean. */
  readonly pairsPerSecond: number;
}

/** Everybody probes those so many places further round. */
const STEPS = [1, 2, 4, 5];
/** An offset is biased by this at least and at most (ns). */
const BIAS_NS_MIN = 300;
const BIAS_NS_MAX = 1_500;
/** Distance of the probes of a pair (ns), and a probe's own time on a line. */
const SPACING_NS = 8_000;
const PROBE_NS = 80;
/** Pairs of one edge are further apart than this (ns). */
const GAP_NS_MIN = 100_000;
const TRUTH_EVERY_NS = 100_000_000;
/** The clocks go on for so long behind the last probe (s). */
const AFTER_S = 1;

interface Link {
  readonly from: number;
  readonly to: number;
  readonly way: readonly Hop[];
  /** Added at the end of the way (ns). */
  readonly extraNs: number;
  pair: number;
}

/** A probe under way. */
interface Flight {
  readonly link: Link;
  readonly pair: number;
  readonly slot: number;
  readonly txNs: number;
  hop: number;
  waitNs: number;
  /** NaN until it has arrived. */
  rxNs: number;
}

/** See the module head; the same seed gives the same recording. */
export class SecondTrace {
  readonly plan: TracePlan;
  /** Zero of each host's stamps (raw ns). */
  readonly zeros: readonly bigint[];
  readonly #options: SecondOptions;
  readonly #stamp: Stamper;
  readonly #clocks: readonly FlickerClock[];
  readonly #links: readonly Link[];

  constructor(options: SecondOptions) {
    const { hosts, seconds } = options;
    assert(hosts >= 3, "a recording has three hosts at least");
    const { load, stamp, sines, biasedShare } = worlds[options.world];
    this.#options = options;
    this.#stamp = stamp;
    const ids = Array.from({ length: hosts }, (_, i) => `n${i}`);
    const edges = circulant(hosts);
    this.plan = {
      timestamping: stamp === cardStamp ? "hardware" : "kernel",
      hosts: ids.map((id) => ({ id, region: "", clockQuality: 1 })),
      reference: 0,
      edges,
    };
    this.zeros = ids.map((id) => BigInt(Math.floor(this.#stream(`zero ${id}`).between(1e9, 9e15))));
    this.#clocks = ids.map(
      (id) => new FlickerClock(this.#stream(`clock ${id}`), seconds + AFTER_S, sines),
    );
    const fabric = new Fabric(hosts, load, (purpose) => this.#stream(purpose));
    const random = this.#stream("bias");
    const order = edges.map((_, e) => ({ e, key: random.uniform() }));
    order.sort((a, b) => a.key - b.key);
    const biased = new Set(
      order.slice(0, Math.round(biasedShare * edges.length)).map(({ e }) => e),
    );
    this.#links = edges.flatMap(([a, b], e) => {
      // An offset is off by half of what one direction takes longer.
      const longerNs = biased.has(e) ? 2 * random.between(BIAS_NS_MIN, BIAS_NS_MAX) : 0;
      const [thereNs, backNs] = random.uniform() < 0.5 ? [longerNs, 0] : [0, longerNs];
      return [
        { from: a, to: b, way: fabric.way(a, b), extraNs: thereNs, pair: 0 },
        { from: b, to: a, way: fabric.way(b, a), extraNs: backNs, pair: 0 },
      ];
    });
  }

  /** Delay of a probe of this direction that meets nothing (ns); for the oracle of the bench. */
  floorNs(from: number, to: number): number {
    const link = this.#links.find((each) => each.from === from && each.to === to);
    return link ? link.extraNs + link.way.reduce((sum, { onNs }) => sum + onNs, 0) : Number.NaN;
  }

  /** Makes all rows in the order of sending, and the truth. */
  run(row: RowSink, truth: TruthSink = () => {}, probe: ProbeTruthSink = () => {}): void {
    const endNs = this.#options.seconds * SECOND_NS;
    const random = this.#stream("events");
    const events = new EventQueue<Link | Flight>();
    const meanNs = SECOND_NS / this.#options.pairsPerSecond - GAP_NS_MIN;
    const later = () => GAP_NS_MIN + random.exponential(meanNs);
    for (const link of this.#links) events.push(later(), link);
    /** In the order of sending; those at the head that have arrived are told. */
    const waiting: Flight[] = [];
    let told = 0;
    let truthNs = 0;
    const tell = () => {
      for (; told < waiting.length && !Number.isNaN(waiting[told].rxNs); told++) {
        const { link, pair, slot, txNs, rxNs, waitNs } = waiting[told];
        probe(waitNs === 0, true);
        row(link.from, link.to, pair, slot, txNs, rxNs);
      }
      if (told < 4_096) return;
      waiting.splice(0, told);
      told = 0;
    };
    for (let event = events.pop(); event; event = events.pop()) {
      const [atNs, what] = event;
      for (; truthNs <= Math.min(atNs, endNs); truthNs += TRUTH_EVERY_NS)
        this.#tell(truthNs, truth);
      if ("way" in what) {
        const pair = what.pair++;
        waiting.push(this.#depart(what, pair, 0, atNs, events, random));
        waiting.push(this.#depart(what, pair, 1, atNs + SPACING_NS, events, random));
        const nextNs = atNs + later();
        if (nextNs < endNs) events.push(nextNs, what);
      } else {
        this.#pass(what, atNs, events, random);
        if (!Number.isNaN(what.rxNs)) tell();
      }
    }
  }

  #depart(
    link: Link,
    pair: number,
    slot: number,
    atNs: number,
    events: EventQueue<Link | Flight>,
    random: Prng,
  ): Flight {
    const txNs = Math.round(this.#stamp(random, this.#clocks[link.from].at(atNs), true));
    const flight = { link, pair, slot, txNs, hop: 0, waitNs: 0, rxNs: Number.NaN };
    events.push(atNs, flight);
    return flight;
  }

  /** One more hop, or the end of the way. */
  #pass(flight: Flight, atNs: number, events: EventQueue<Link | Flight>, random: Prng): void {
    const { way, to, extraNs } = flight.link;
    if (flight.hop === way.length) {
      const clockNs = this.#clocks[to].at(atNs + extraNs);
      flight.rxNs = Math.round(this.#stamp(random, clockNs, false));
      return;
    }
    const { line, onNs } = way[flight.hop++];
    const waitNs = line.pass(atNs, PROBE_NS);
    flight.waitNs += waitNs;
    events.push(atNs + waitNs + onNs, flight);
  }

  #tell(trueNs: number, truth: TruthSink): void {
    const referenceNs = this.#clocks[0].at(trueNs);
    for (let host = 1; host < this.#clocks.length; host++) {
      truth(host, this.#clocks[host].at(trueNs), referenceNs);
    }
  }

  #stream(purpose: string): Prng {
    return new Prng(mix32(hashText(`second ${purpose}`), this.#options.seed));
  }
}

/** Host i and those `STEPS` places further round, each edge once. */
function circulant(hosts: number): [number, number][] {
  const edges = new Map<number, [number, number]>();
  for (let host = 0; host < hosts; host++) {
    for (const step of STEPS) {
      const other = (host + step) % hosts;
      const [a, b] = [Math.min(host, other), Math.max(host, other)];
      if (a !== b) edges.set(a * hosts + b, [a, b]);
    }
  }
  return [...edges.values()];
}
