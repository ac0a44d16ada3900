/**
 * Makes recordings with a known truth: coded pairs over the stated worlds, in order of sending.
 *
 * Formulas are this module's own and share nothing with the estimator's synthetic windows, so that
 * a trace judges the estimator from outside. The first host is the reference. Time is cut into
 * slices of one pair; in each slice every directed edge sends its pair at a random moment, and the
 * rows of the slice are sorted by true time of sending.
 *
 * `biasedShare` of the edges have their *offset* biased: by +biasNs or -biasNs, at random, which is
 * an asymmetry of twice as much, laid half upon one direction and half taken from the other.
 *
 * Of every probe it tells whether it met a queue, and of every direction its floor; that is for the
 * oracle of the bench only. It does not model routes that change, nor queues shared by two links.
 */
import { assert, hashText, mix32, Prng, SECOND_NS } from "@ttcs/units";
import type { TracePlan } from "../replay/plan.ts";
import { Crystal, type SwingName, swings } from "./crystal.ts";
import { dealBias, dealEdges } from "./mesh.ts";
import { FifoQueue } from "./queue.ts";
import { type Scenario, type ScenarioName, scenarios } from "./scenarios.ts";

/** What to make. */
export interface TraceOptions {
  readonly seed: number;
  readonly scenario: ScenarioName;
  /** At least 2. */
  readonly hosts: number;
  readonly seconds: number;
  /** Coded pairs per second on each directed edge (default 100). */
  readonly pairsPerSecond?: number;
  /** Neighbours of each host, about; default 10, and everybody among fewer than 12 hosts. */
  readonly neighbours?: number;
  /** Share of the edges whose offset is biased (0 to 1, default 0) and by how much (ns, +-1500). */
  readonly biasedShare?: number;
  readonly biasNs?: number;
  /** Biases are drawn from here on up to `biasNs` (ns, default: all are `biasNs`). */
  readonly biasNsMin?: number;
  /** What the temperature does to the clocks (default "slow"). */
  readonly swing?: SwingName;
  /** Share of probes whose delay shows 50 to 500 ns too short (default: the scenario's). */
  readonly earlyShare?: number;
  /** How an asymmetric scenario draws: one direction longer (default), or each for itself. */
  readonly asymmetry?: "one" | "each";
  /** Share of probes that are lost (0 to 1; default: the scenario's). */
  readonly lossShare?: number;
}

/** A row: stamps are ns since the zeros of sender and receiver. */
export type RowSink = (
  from: number,
  to: number,
  pair: number,
  slot: number,
  txNs: number,
  rxNs: number,
) => void;

/** What host `host` and the reference show at one true instant (ns since their zeros). */
export type TruthSink = (host: number, hostNs: number, referenceNs: number) => void;

/** What is known of a probe besides its row: it met no queue, and none of its stamps was early. */
export type ProbeTruthSink = (metNoQueue: boolean, sound: boolean) => void;

/** Distance of the probes of a pair (ns). */
const SPACING_NS = 10_000;
/** Mean length of a burst of other traffic, and of a probe itself (ns; 10 Gbit/s). */
const BURST_NS = 3_000;
const PROBE_NS = 100;
/** A stamp that is early is so by this (ns). */
const EARLY_NS_MIN = 50;
const EARLY_NS_MAX = 500;
/** The way between two regions is longer one way for half of this time (ns), by so much (ns). */
const DETOUR_PERIOD_NS = 2_400 * SECOND_NS;
const DETOUR_NS = 100_000;
/** Floor of a way inside a region, where there are two (ns). */
const REGION_FLOOR_NS = 60_000;
/** Links differ in base delay by up to this, alike in both directions (ns). */
const LINK_NS_MAX = 2_000;
/** Truth is told this often (ns); between, clocks bend by less than 0.1 ns. */
export const TRUTH_EVERY_NS = 100_000_000;

/** One directed edge. */
interface Link {
  readonly from: number;
  readonly to: number;
  /** Delay of a packet that meets nothing (ns). */
  readonly floorNs: number;
  readonly queues: readonly FifoQueue[];
  /** It takes the longer way from one region to the other while there is one. */
  readonly detours: boolean;
  /** It meets a region's own traffic only. */
  readonly near: boolean;
  pair: number;
}

/** A recording to be made; the same seed gives the same one. */
export class Trace {
  readonly plan: TracePlan;
  /** Zero of each host's stamps (raw ns). */
  readonly zeros: readonly bigint[];
  /** For each edge of the plan, by how much its offset (second minus first host) is biased (ns). */
  readonly biasNs: readonly number[];
  readonly #options: TraceOptions;
  readonly #scenario: Scenario;
  readonly #clocks: readonly Crystal[];
  readonly #links: Link[] = [];
  readonly #detourPhaseNs: number;

  constructor(options: TraceOptions) {
    assert(options.hosts >= 2, "a recording has two hosts at least");
    this.#options = options;
    const { hosts, scenario, swing = "slow" } = options;
    const world = scenarios[scenario];
    this.#scenario = world;
    const random = this.#stream("mesh");
    const edges = dealEdges(hosts, options.neighbours, random);
    const ids = Array.from({ length: hosts }, (_, i) => `h${String(i).padStart(2, "0")}`);
    const region = (i: number) => (world.twoRegions ? `r${i % 2}` : "r0");
    this.plan = {
      timestamping: world.timestamping,
      hosts: ids.map((id, i) => ({ id, region: region(i), clockQuality: i === 0 ? 10 : 1 })),
      reference: 0,
      edges,
    };
    this.biasNs = dealBias(edges.length, options, random);
    // Some seconds apart, and far beyond what a double holds to the nanosecond.
    this.zeros = ids.map(
      (id) => 10n ** 18n + BigInt(Math.floor(this.#stream(id).between(0, 6e10))),
    );
    this.#clocks = ids.map((id) => new Crystal(this.#stream(`clock ${id}`), swings[swing]));
    this.#detourPhaseNs = this.#stream("detour").between(0, DETOUR_PERIOD_NS);
    edges.forEach(([a, b], e) => {
      const linkNs = random.between(0, LINK_NS_MAX);
      const [thereNs, backNs] = this.#asymmetryNs(random);
      // A later arrival at b looks like a b that is ahead.
      this.#addLink(a, b, linkNs + thereNs + this.biasNs[e]);
      this.#addLink(b, a, linkNs + backNs - this.biasNs[e]);
    });
  }

  /** Delay of a probe of this direction that meets nothing (ns); for the oracle of the bench. */
  floorNs(from: number, to: number): number {
    const link = this.#links.find((each) => each.from === from && each.to === to);
    return link?.floorNs ?? Number.NaN;
  }

  #asymmetryNs(random: Prng): [number, number] {
    const { asymmetryNsMax } = this.#scenario;
    const skewedNs = random.between(0, asymmetryNsMax);
    if (this.#options.asymmetry === "each") return [skewedNs, random.between(0, asymmetryNsMax)];
    return random.uniform() < 0.5 ? [skewedNs, 0] : [0, skewedNs];
  }

  #addLink(from: number, to: number, baseNs: number): void {
    const { floorNs, queueLoads } = this.#scenario;
    const [fromRegion, toRegion] = [from, to].map((i) => this.plan.hosts[i].region);
    const near = this.#scenario.twoRegions && fromRegion === toRegion;
    this.#links.push({
      from,
      to,
      floorNs: baseNs + (near ? REGION_FLOOR_NS : floorNs),
      queues: queueLoads.map(
        (load, i) => new FifoQueue(this.#stream(`queue ${from} ${to} ${i}`), load, BURST_NS),
      ),
      detours: fromRegion < toRegion,
      near,
      pair: 0,
    });
  }

  /** Makes all rows and the truth, in order of true time. */
  run(row: RowSink, truth: TruthSink = () => {}, probe: ProbeTruthSink = () => {}): void {
    const { seconds, pairsPerSecond = 100 } = this.#options;
    const random = this.#stream("links");
    const sliceNs = SECOND_NS / pairsPerSecond;
    const slices = Math.round(seconds * pairsPerSecond);
    const atNs = new Float64Array(this.#links.length * 2);
    const order = Uint32Array.from(atNs.keys());
    let truthNs = 0;
    for (let slice = 0; slice < slices; slice++) {
      for (let i = 0; i < this.#links.length; i++) {
        atNs[2 * i] = slice * sliceNs + random.between(0, sliceNs - 2 * SPACING_NS);
        atNs[2 * i + 1] = atNs[2 * i] + SPACING_NS;
      }
      order.sort((a, b) => atNs[a] - atNs[b]);
      for (const at of order) this.#send(at, atNs[at], random, row, probe);
      for (; truthNs <= (slice + 1) * sliceNs; truthNs += TRUTH_EVERY_NS) {
        this.#tellTruth(truthNs, truth);
      }
    }
  }

  #send(at: number, sentNs: number, random: Prng, row: RowSink, probe: ProbeTruthSink): void {
    const { earlyNs, lateNs, lossShare, earlyShare } = this.#scenario;
    const link = this.#links[at >> 1];
    const slot = at & 1;
    const waitNs = this.#waitNs(link, sentNs, random);
    const arrivedNs = sentNs + link.floorNs + waitNs;
    const early = earlyShare > 0 || this.#options.earlyShare ? this.#earlyNs(random) : 0;
    const txNs = this.#clocks[link.from].at(sentNs) - earlyNs(random) + early;
    const rxNs = this.#clocks[link.to].at(arrivedNs) + lateNs(random);
    const lost = random.uniform() < (this.#options.lossShare ?? lossShare);
    const pair = slot === 0 ? link.pair : link.pair++;
    if (lost) return;
    probe(waitNs === 0, early === 0);
    row(link.from, link.to, pair, slot, Math.round(txNs), Math.round(rxNs));
  }

  /** What a probe waits on its way (ns; exactly 0: it met nothing). */
  #waitNs(link: Link, sentNs: number, random: Prng): number {
    let waitNs = link.near ? 0 : this.#scenario.waitNs(random);
    for (const queue of link.queues) waitNs += queue.pass(sentNs + waitNs, PROBE_NS);
    if (!link.detours) return waitNs;
    const phase = ((sentNs + this.#detourPhaseNs) % DETOUR_PERIOD_NS) / DETOUR_PERIOD_NS;
    return waitNs + (phase < 0.5 ? DETOUR_NS : 0);
  }

  /** How much too late a probe's transmit stamp is, which makes its delay too short (ns). */
  #earlyNs(random: Prng): number {
    const share = this.#options.earlyShare ?? this.#scenario.earlyShare;
    return random.uniform() < share ? random.between(EARLY_NS_MIN, EARLY_NS_MAX) : 0;
  }

  #tellTruth(trueNs: number, truth: TruthSink): void {
    const referenceNs = this.#clocks[0].at(trueNs);
    for (let host = 1; host < this.#clocks.length; host++) {
      truth(host, this.#clocks[host].at(trueNs), referenceNs);
    }
  }

  /** A stream of random numbers for one purpose. */
  #stream(purpose: string): Prng {
    return new Prng(mix32(this.#options.seed, hashText(purpose)));
  }
}
