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
 * It does not model what a real link does over time: routes, bursts, queues with a memory.
 */
import { assert, hashText, mix32, Prng, SECOND_NS } from "@ttcs/units";
import type { TracePlan } from "../replay/plan.ts";
import { Crystal } from "./crystal.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";

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

/** Distance of the probes of a pair (ns). */
const SPACING_NS = 10_000;
/** Below this many hosts all probe each other. */
const FULL_MESH_BELOW = 12;
/** Links differ in base delay by up to this, alike in both directions (ns). */
const LINK_NS_MAX = 2_000;
/** Truth is told this often (ns); between, clocks bend by less than 0.1 ns. */
export const TRUTH_EVERY_NS = 100_000_000;

/** One directed edge. */
interface Link {
  readonly from: number;
  readonly to: number;
  readonly baseNs: number;
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
  readonly #clocks: readonly Crystal[];
  readonly #links: Link[] = [];

  constructor(options: TraceOptions) {
    assert(options.hosts >= 2, "a recording has two hosts at least");
    this.#options = options;
    const { hosts, scenario } = options;
    const random = this.#stream("mesh");
    const edges = dealEdges(hosts, options.neighbours, random);
    const ids = Array.from({ length: hosts }, (_, i) => `h${String(i).padStart(2, "0")}`);
    this.plan = {
      timestamping: scenarios[scenario].timestamping,
      hosts: ids.map((id, i) => ({ id, region: "r0", clockQuality: i === 0 ? 10 : 1 })),
      reference: 0,
      edges,
    };
    this.biasNs = dealBias(edges.length, options, random);
    // Some seconds apart, and far beyond what a double holds to the nanosecond.
    this.zeros = ids.map(
      (id) => 10n ** 18n + BigInt(Math.floor(this.#stream(id).between(0, 6e10))),
    );
    this.#clocks = ids.map((id) => new Crystal(this.#stream(`clock ${id}`)));
    edges.forEach(([a, b], e) => {
      const linkNs = random.between(0, LINK_NS_MAX);
      const skewedNs = random.between(0, scenarios[scenario].asymmetryNsMax);
      const [thereNs, backNs] = random.uniform() < 0.5 ? [skewedNs, 0] : [0, skewedNs];
      // A later arrival at b looks like a b that is ahead.
      this.#links.push({ from: a, to: b, baseNs: linkNs + thereNs + this.biasNs[e], pair: 0 });
      this.#links.push({ from: b, to: a, baseNs: linkNs + backNs - this.biasNs[e], pair: 0 });
    });
  }

  /** Makes all rows and the truth, in order of true time. */
  run(row: RowSink, truth: TruthSink = () => {}): void {
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
      for (const probe of order) this.#send(probe, atNs[probe], random, row);
      for (; truthNs <= (slice + 1) * sliceNs; truthNs += TRUTH_EVERY_NS) {
        this.#tellTruth(truthNs, truth);
      }
    }
  }

  #send(probe: number, sentNs: number, random: Prng, row: RowSink): void {
    const { scenario } = this.#options;
    const { delayNs, earlyNs, lateNs, lossShare } = scenarios[scenario];
    const link = this.#links[probe >> 1];
    const slot = probe & 1;
    const arrivedNs = sentNs + link.baseNs + delayNs(random);
    const txNs = this.#clocks[link.from].at(sentNs) - earlyNs(random);
    const rxNs = this.#clocks[link.to].at(arrivedNs) + lateNs(random);
    const lost = random.uniform() < (this.#options.lossShare ?? lossShare);
    const pair = slot === 0 ? link.pair : link.pair++;
    if (!lost) row(link.from, link.to, pair, slot, Math.round(txNs), Math.round(rxNs));
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

/** A ring, which connects everybody, and random chords until everybody has about enough. */
function dealEdges(hosts: number, neighbours = 10, random: Prng): [number, number][] {
  const edges: [number, number][] = [];
  if (hosts < FULL_MESH_BELOW || neighbours >= hosts - 1) {
    for (let a = 0; a < hosts; a++) for (let b = a + 1; b < hosts; b++) edges.push([a, b]);
    return edges;
  }
  const seen = new Set<number>();
  const add = (a: number, b: number) => {
    const key = Math.min(a, b) * hosts + Math.max(a, b);
    if (a === b || seen.has(key)) return;
    seen.add(key);
    edges.push([Math.min(a, b), Math.max(a, b)]);
  };
  for (let a = 0; a < hosts; a++) add(a, (a + 1) % hosts);
  const wanted = Math.ceil((hosts * neighbours) / 2);
  while (edges.length < wanted) add(random.next() % hosts, random.next() % hosts);
  return edges;
}

function dealBias(edges: number, options: TraceOptions, random: Prng): number[] {
  const { biasedShare = 0, biasNs = 1_500 } = options;
  const out: number[] = Array(edges).fill(0);
  for (let left = Math.round(biasedShare * edges); left > 0; ) {
    const e = random.next() % edges;
    if (out[e] !== 0) continue;
    out[e] = random.uniform() < 0.5 ? -biasNs : biasNs;
    left--;
  }
  return out;
}
