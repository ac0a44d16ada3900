/**
 * A fleet whose edges are drawn, for tests of the mesh under attack: no probes, thousands of hosts.
 *
 * Raw clocks run at constant rates. Every edge of a dealt mesh brings a fit every half second with new
 * noise, and an audit by its other end every tenth round. Liars shift what is measured: "fits" those
 * that they report themselves, owned or audited; "stamps" all that concerns them, as a host does that
 * shows each partner another clock, so that both ends of the edge measure the lie alike.
 *
 * It does not model crystals that wander, nor windows that overlap.
 */
import { create } from "@bufbuild/protobuf";
import { type EdgeFit, EdgeFitSchema, HelloSchema } from "@ttcs/protocol";
import { Prng, ROUND_NS } from "@ttcs/units";
import { FitBook, type MeshFit } from "./fits.ts";
import { type Host, newHost } from "./host.ts";
import { anchorCount, dealMesh, type Edge, pairKey } from "./mesh.ts";

/** How liars shift what they say. */
export type LieShape = "shift" | "random" | "split" | "growth" | "switching";
export const LIE_SHAPES: readonly LieShape[] = ["shift", "random", "split", "growth", "switching"];

/** A fleet and its liars. */
export interface FleetPlan {
  readonly hosts: number;
  readonly seed: number;
  readonly liarShare: number;
  readonly lies: "fits" | "stamps";
  readonly shape: LieShape;
  readonly sizeNs: number;
  /** The round in which lies begin. */
  readonly fromRound: number;
  /** True: anchors lie, too, as many of them as this share; else none does. */
  readonly anchorLiarShare?: number;
  /** Share of edges one of whose directions is longer by `delayNs`. */
  readonly delayedShare?: number;
  readonly delayNs?: number;
}

/** A clean fleet. */
export const cleanFleet: FleetPlan = {
  hosts: 60,
  seed: 1,
  liarShare: 0,
  lies: "stamps",
  shape: "random",
  sizeNs: 0,
  fromRound: 20,
};

/** Error of a fit, new in each round (ns), and of its frequency (ppb). */
const SIGMA_NS = 40;
const FREQ_SIGMA_PPB = 20;
/** Least delay of a direction: half of the guaranteed interval (ns). */
const DELAY_NS_MIN = 8_000;
const DELAY_NS_MAX = 15_000;
const AUDIT_EVERY = 10;
/** A lie that grows does so by this much a round (ns): 1 us/s. */
const GROWTH_NS_PER_ROUND = 500;
/** A lie that is switched is on for so many rounds of so many. */
const SWITCH_ON = 6;
const SWITCH_ROUNDS = 12;

interface Link extends Edge {
  readonly forwardNs: number;
  readonly reverseNs: number;
  readonly jitterSeed: number;
}

/** See the module head. Host numbers are from 1; host 1 is the reference. */
export class SyntheticFleet {
  readonly plan: FleetPlan;
  readonly hosts: ReadonlyMap<number, Host>;
  readonly anchors: ReadonlySet<number>;
  readonly liars: ReadonlySet<number>;
  readonly links: readonly Link[];
  readonly #random: Prng;
  readonly #book = new FitBook();
  readonly #dealt: ReadonlySet<string>;
  readonly #clocks: { readonly zeroNs: bigint; readonly freqPpb: number }[];
  #round = 0;

  constructor(plan: FleetPlan) {
    this.plan = plan;
    const random = new Prng(plan.seed);
    this.#random = random;
    const numbers = Array.from({ length: plan.hosts }, (_, i) => i + 1);
    this.hosts = new Map(
      numbers.map((n) => [n, newHost(n, create(HelloSchema, { hostId: `h${n}` }), n)]),
    );
    this.#clocks = numbers.map(() => ({
      zeroNs: BigInt(Math.floor(random.between(1e12, 9e15))),
      freqPpb: random.between(-20_000, 20_000),
    }));
    const anchors = numbers.slice(0, anchorCount(plan.hosts));
    this.anchors = new Set(anchors);
    const shuffled = numbers.filter((n) => !this.anchors.has(n));
    for (let i = shuffled.length - 1; i > 0; i--) {
      const k = Math.floor(random.uniform() * (i + 1));
      [shuffled[i], shuffled[k]] = [shuffled[k], shuffled[i]];
    }
    const anchorLiars = Math.round((plan.anchorLiarShare ?? 0) * anchors.length);
    const others = Math.round(plan.liarShare * plan.hosts);
    this.liars = new Set([
      ...anchors.slice(anchors.length - anchorLiars),
      ...shuffled.slice(0, others),
    ]);
    this.links = dealMesh(numbers, plan.seed, []).map((edge) => {
      const delayed = random.uniform() < (plan.delayedShare ?? 0) ? (plan.delayNs ?? 0) : 0;
      const back = random.uniform() < 0.5;
      const between = () => random.between(DELAY_NS_MIN, DELAY_NS_MAX);
      const ns = between();
      return {
        ...edge,
        forwardNs: ns + (back ? 0 : delayed),
        reverseNs: ns + (back ? delayed : 0),
        jitterSeed: random.uniform(),
      };
    });
    this.#dealt = new Set(this.links.map((e) => pairKey(e.a, e.b)));
  }

  get reference(): Host {
    return this.hosts.get(1)!;
  }

  /** True time of a round's middle (ns). */
  get middleNs(): number {
    return this.#round * ROUND_NS + 1e9;
  }

  /** The fits that the coordinator holds after the next round's reports. */
  nextFits(): readonly MeshFit[] {
    this.#round++;
    const atMs = this.#round * 500;
    for (const link of this.links) {
      const other = link.owner === link.a ? link.b : link.a;
      const errorNs = SIGMA_NS * this.#random.normal();
      const freqErrorPpb = FREQ_SIGMA_PPB * this.#random.normal();
      const by = (speaker: number, audit: boolean) => {
        const lieNs = this.#lieNs(link, other, speaker);
        const fit = this.#fit(link, other, audit, errorNs + lieNs, freqErrorPpb);
        this.#book.take([fit], speaker, this.#dealt, atMs);
      };
      by(link.owner, false);
      if ((this.#round + link.a + link.b) % AUDIT_EVERY === 0) by(other, true);
    }
    return this.#book.fresh(atMs);
  }

  /** Error of what is said of a host's clock at this round's middle (ns); NaN: nothing is. */
  errorNs(number: number, atRefRawNs: bigint): number {
    const { track } = this.hosts.get(number)!;
    if (!track) return Number.NaN;
    const elapsedNs = Number(atRefRawNs - track.referenceZeroNs);
    const saidNs = track.filter.predict(elapsedNs * 1e-9).offsetNs + elapsedNs;
    const reference = this.#clocks[0];
    const trueNs = Number(atRefRawNs - reference.zeroNs) / (1 + reference.freqPpb * 1e-9);
    const zero = this.#rawAt(number, trueNs);
    return saidNs - (Number(zero.wholeNs - track.hostZeroNs) + zero.restNs);
  }

  /** True when at least two honest partners of a liar were told another time than some others. */
  isEdgeLiar(liar: number): boolean {
    const { lies, sizeNs } = this.plan;
    const told: number[] = [];
    for (const link of this.links) {
      if (link.a !== liar && link.b !== liar) continue;
      const partner = link.a === liar ? link.b : link.a;
      if (this.liars.has(partner)) continue;
      const speaks = lies === "stamps" || link.owner === liar;
      told.push(speaks ? this.#shiftNs(liar, partner, link.jitterSeed) : 0);
    }
    // As many as there are around the most frequent of the times told are in the majority.
    const near = (ns: number) => told.filter((t) => Math.abs(t - ns) < sizeNs / 2).length;
    return told.length - Math.max(0, ...told.map(near)) >= 2;
  }

  #lieNs(link: Link, other: number, speaker: number): number {
    const { lies } = this.plan;
    let sumNs = 0;
    for (const liar of [link.owner, other]) {
      if (!this.liars.has(liar) || (lies === "fits" && liar !== speaker)) continue;
      const partner = liar === link.owner ? other : link.owner;
      // What a liar adds to its own clock makes an owner's offset smaller, another's larger.
      const sign = liar === other ? 1 : -1;
      sumNs += sign * this.#shiftNs(liar, partner, link.jitterSeed);
    }
    return sumNs;
  }

  #shiftNs(liar: number, partner: number, drawn: number): number {
    const { shape, sizeNs, fromRound } = this.plan;
    const since = this.#round - fromRound;
    if (since < 0) return 0;
    // Colluders agree on whom to tell which of two times; they tell each other the same.
    const side = partner % 2 === 0 ? 1 : -1;
    if (shape === "shift") return sizeNs;
    if (shape === "random")
      return ((((liar * 7 + partner * 13) % 3) - 1 || 0.7) + drawn * 0.2) * sizeNs;
    if (shape === "split") return side * sizeNs;
    if (shape === "growth") return side * Math.min(sizeNs, GROWTH_NS_PER_ROUND * since);
    return since % SWITCH_ROUNDS < SWITCH_ON ? side * sizeNs : 0;
  }

  #rawAt(number: number, trueNs: number): { wholeNs: bigint; restNs: number } {
    const { zeroNs, freqPpb } = this.#clocks[number - 1];
    const wholeTrueNs = Math.floor(trueNs);
    const gainedNs = trueNs * freqPpb * 1e-9 + (trueNs - wholeTrueNs);
    const wholeNs = Math.floor(gainedNs);
    return { wholeNs: zeroNs + BigInt(wholeTrueNs) + BigInt(wholeNs), restNs: gainedNs - wholeNs };
  }

  #fit(link: Link, other: number, audit: boolean, errorNs: number, freqErrorPpb: number): EdgeFit {
    const { owner, forwardNs, reverseNs } = link;
    const startNs = this.#round * ROUND_NS;
    const [base, otherBase] = [this.#rawAt(owner, startNs), this.#rawAt(other, startNs)];
    const [mid, otherMid] = [this.#rawAt(owner, this.middleNs), this.#rawAt(other, this.middleNs)];
    const midNs = Number(mid.wholeNs - base.wholeNs) + mid.restNs;
    const trueNs = Number(otherMid.wholeNs - otherBase.wholeNs) + otherMid.restNs - midNs;
    const [a, b] = [this.#clocks[owner - 1].freqPpb, this.#clocks[other - 1].freqPpb];
    const rate = (1 + b * 1e-9) / (1 + a * 1e-9) - 1;
    const halfNs = (forwardNs + reverseNs) / 2 + 3 * SIGMA_NS;
    return create(EdgeFitSchema, {
      owner,
      other,
      audit,
      ownerBaseRawNs: base.wholeNs,
      otherBaseRawNs: otherBase.wholeNs,
      midNs,
      offsetNs: trueNs + errorNs + (forwardNs - reverseNs) / 2,
      freqPpb: rate * 1e9 + freqErrorPpb,
      offsetSigmaNs: SIGMA_NS,
      freqSigmaPpb: FREQ_SIGMA_PPB,
      belowBoundNs: halfNs,
      aboveBoundNs: halfNs,
      delayForwardNsMin: forwardNs,
      delayReverseNsMin: reverseNs,
    });
  }
}
