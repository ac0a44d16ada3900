/**
 * A fleet that reports fits round after round, for the cost benchmark.
 *
 * Every host has a raw clock of constant rate. Of each edge a fit of its last 2 s arrives every half
 * second: its error is the mean of four blocks' errors, of which one is new, so that rounds hang
 * together as real ones do. One edge in twenty is asymmetric, and one report in a thousand is lost.
 * It does not model what costs nothing here: crystals that wander, probes, bounds that are wrong.
 */
import { create } from "@bufbuild/protobuf";
import { type Host, newHost } from "@ttcs/coordinator/core";
import { type EdgeFit, EdgeFitSchema, HelloSchema } from "@ttcs/protocol";
import { Prng, ROUND_NS } from "@ttcs/units";
import type { CostMesh } from "./mesh.ts";

/** Offset error of half a second's probes (ns): four of them make a window of 20 ns. */
const BLOCK_SIGMA_NS = 40;
const BLOCKS = 4;
const FREQ_SIGMA_PPB = 25;
const ASYMMETRIC_SHARE = 0.05;
const ASYMMETRY_NS_MAX = 1_500;
const LOST_SHARE = 0.001;
const BOUND_NS = 10_000;

interface Clock {
  readonly zeroNs: bigint;
  readonly freqPpb: number;
}

/** See the module head. Host numbers are from 1; host 1 is the reference. */
export class Fleet {
  readonly hosts: ReadonlyMap<number, Host>;
  readonly mesh: CostMesh;
  readonly #random: Prng;
  readonly #clocks: readonly Clock[];
  readonly #biasNs: Float64Array;
  readonly #blocksNs: Float64Array;
  #round = 0;

  constructor(mesh: CostMesh, seed: number) {
    this.mesh = mesh;
    this.#random = new Prng(seed);
    const random = this.#random;
    this.#clocks = Array.from({ length: mesh.hostCount }, () => ({
      zeroNs: BigInt(Math.floor(random.between(1e12, 9e15))),
      freqPpb: random.between(-20_000, 20_000),
    }));
    this.hosts = new Map(this.#clocks.map((_, i) => [i + 1, hostOf(i + 1)]));
    this.#biasNs = Float64Array.from(mesh.from, () => {
      const asymmetric = random.uniform() < ASYMMETRIC_SHARE;
      return asymmetric ? random.between(-ASYMMETRY_NS_MAX, ASYMMETRY_NS_MAX) : 0;
    });
    this.#blocksNs = Float64Array.from({ length: BLOCKS * mesh.from.length }, () => {
      return BLOCK_SIGMA_NS * random.normal();
    });
  }

  get reference(): Host {
    return this.hosts.get(1)!;
  }

  /** The fits that arrive in the next round. */
  nextFits(): EdgeFit[] {
    const random = this.#random;
    const { from, to } = this.mesh;
    const startNs = ++this.#round * ROUND_NS;
    const bases = this.#clocks.map((clock) => rawAt(clock, startNs));
    const fits: EdgeFit[] = [];
    for (let e = 0; e < from.length; e++) {
      this.#blocksNs[BLOCKS * e + (this.#round % BLOCKS)] = BLOCK_SIGMA_NS * random.normal();
      if (random.uniform() < LOST_SHARE) continue;
      fits.push(this.#fit(e, from[e], to[e], bases, startNs));
    }
    return fits;
  }

  #fit(e: number, a: number, b: number, bases: readonly bigint[], startNs: number): EdgeFit {
    const random = this.#random;
    const midTrueNs = startNs + 1e9 + random.between(-1e7, 1e7);
    const [owner, other] = [this.#clocks[a], this.#clocks[b]];
    const midNs = Number(rawAt(owner, midTrueNs) - bases[a]);
    const trueNs = Number(rawAt(other, midTrueNs) - bases[b]) - midNs;
    let errorNs = this.#biasNs[e];
    for (let i = 0; i < BLOCKS; i++) errorNs += this.#blocksNs[BLOCKS * e + i] / BLOCKS;
    const rate = (1 + other.freqPpb * 1e-9) / (1 + owner.freqPpb * 1e-9) - 1;
    return create(EdgeFitSchema, {
      owner: a + 1,
      other: b + 1,
      ownerBaseRawNs: bases[a],
      otherBaseRawNs: bases[b],
      midNs,
      offsetNs: trueNs + errorNs,
      freqPpb: rate * 1e9 + FREQ_SIGMA_PPB * random.normal(),
      offsetSigmaNs: (BLOCK_SIGMA_NS / Math.sqrt(BLOCKS)) * random.between(0.8, 1.25),
      freqSigmaPpb: FREQ_SIGMA_PPB,
      belowBoundNs: BOUND_NS * random.between(0.5, 1),
      aboveBoundNs: BOUND_NS * random.between(0.5, 1),
    });
  }
}

const rawAt = ({ zeroNs, freqPpb }: Clock, trueNs: number): bigint =>
  zeroNs + BigInt(Math.round(trueNs + trueNs * freqPpb * 1e-9));

const hostOf = (number: number): Host =>
  newHost(number, create(HelloSchema, { hostId: `host-${number}` }), number);
