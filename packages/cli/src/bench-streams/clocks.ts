/**
 * The clocks of a fleet that exists in several processes at once, and the fits between them.
 *
 * Every host's raw clock is a line over true time, drawn from the seed and the host's index: each
 * process computes any host's clock by itself, and what a correction claims can be held against it.
 * True time is the machine's monotonic clock, which all processes share. Of each edge a fit comes with
 * every round: the error of its offset is the mean of four half seconds' errors, of which one is new.
 *
 * What costs nothing here is left out: crystals that wander, asymmetric paths, probes.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EdgeFitSchema } from "@ttcs/protocol";
import { FIT_AGE_NS, mix32, Prng, unitOf, WINDOW_NS } from "@ttcs/units";

/** Offset error of half a second's probes (ns): four of them make a window of 20 ns. */
const BLOCK_SIGMA_NS = 40;
const BLOCKS = 4;
const FREQ_SIGMA_PPB = 25;
const BOUND_NS = 10_000;
/** Crystals are off by this much at most (ppb). */
const FREQ_PPB_MAX = 20_000;
/** Raw clocks began between a quarter of an hour and a hundred days ago (ns). */
const AGE_NS_MIN = 1e12;
const AGE_NS_MAX = 9e15;

/** Where true time begins for all processes of a run. */
export interface FleetStart {
  readonly seed: number;
  /** `process.hrtime.bigint()` at the start (ns), and civil time then (Unix ns). */
  readonly monotonicNs: bigint;
  readonly unixNs: bigint;
}

interface Clock {
  readonly zeroNs: bigint;
  readonly freqPpb: number;
}

/** See the module head. Hosts are counted from 0. */
export class FleetClocks {
  readonly #start: FleetStart;
  readonly #clocks = new Map<number, Clock>();

  constructor(start: FleetStart) {
    this.#start = start;
  }

  /** True time since the start (ns). */
  nowNs(): number {
    return Number(process.hrtime.bigint() - this.#start.monotonicNs);
  }

  /** A host's raw clock at an instant of true time. */
  rawAt(host: number, trueNs: number): bigint {
    const { zeroNs, freqPpb } = this.#clock(host);
    return zeroNs + BigInt(Math.round(trueNs + trueNs * freqPpb * 1e-9));
  }

  /** True time when a host's raw clock shows `rawNs`, to the nanosecond. */
  trueAt(host: number, rawNs: bigint): number {
    const { zeroNs, freqPpb } = this.#clock(host);
    return Number(rawNs - zeroNs) / (1 + freqPpb * 1e-9);
  }

  /** Civil time at an instant of true time (Unix ns): what the reference's source shows. */
  unixAt(trueNs: number): bigint {
    return this.#start.unixNs + BigInt(Math.round(trueNs));
  }

  /** Rate of civil time against a host's raw clock, minus one (ppb). */
  sourceFreqPpb(host: number): number {
    return (1 / (1 + this.#clock(host).freqPpb * 1e-9) - 1) * 1e9;
  }

  /** The other host's rate against the owner's, minus one (ppb). */
  relativeFreqPpb(owner: number, other: number): number {
    const [a, b] = [this.#clock(owner).freqPpb, this.#clock(other).freqPpb];
    return ((1 + b * 1e-9) / (1 + a * 1e-9) - 1) * 1e9;
  }

  #clock(host: number): Clock {
    let clock = this.#clocks.get(host);
    if (!clock) {
      const random = new Prng(mix32(this.#start.seed, host + 1));
      const zeroNs = BigInt(Math.floor(random.between(AGE_NS_MIN, AGE_NS_MAX)));
      clock = { zeroNs, freqPpb: random.between(-FREQ_PPB_MAX, FREQ_PPB_MAX) };
      this.#clocks.set(host, clock);
    }
    return clock;
  }
}

/** The fits of one edge, round after round. */
export class EdgeSource {
  readonly #clocks: FleetClocks;
  readonly #owner: number;
  readonly #other: number;
  readonly #random: Prng;
  readonly #blocksNs: number[];

  constructor(clocks: FleetClocks, seed: number, owner: number, other: number) {
    this.#clocks = clocks;
    this.#owner = owner;
    this.#other = other;
    this.#random = new Prng(mix32(mix32(seed, owner), other));
    this.#blocksNs = Array.from({ length: BLOCKS }, () => BLOCK_SIGMA_NS * this.#random.normal());
  }

  /** The fit of the window that closes at `closeNs` of true time, between two host numbers. */
  fit(closeNs: number, owner: number, other: number): MessageInitShape<typeof EdgeFitSchema> {
    const random = this.#random;
    const clocks = this.#clocks;
    this.#blocksNs.shift();
    this.#blocksNs.push(BLOCK_SIGMA_NS * random.normal());
    const errorNs = this.#blocksNs.reduce((sum, ns) => sum + ns, 0) / BLOCKS;
    const ownerBaseRawNs = clocks.rawAt(this.#owner, closeNs - WINDOW_NS);
    const otherBaseRawNs = clocks.rawAt(this.#other, closeNs - WINDOW_NS);
    const midTrueNs = closeNs - FIT_AGE_NS;
    const midNs = Number(clocks.rawAt(this.#owner, midTrueNs) - ownerBaseRawNs);
    const trueNs = Number(clocks.rawAt(this.#other, midTrueNs) - otherBaseRawNs) - midNs;
    const delayNs = BOUND_NS * random.between(0.9, 1);
    return {
      owner,
      other,
      ownerBaseRawNs,
      otherBaseRawNs,
      midNs,
      offsetNs: trueNs + errorNs,
      freqPpb: clocks.relativeFreqPpb(this.#owner, this.#other) + FREQ_SIGMA_PPB * random.normal(),
      offsetSigmaNs: (BLOCK_SIGMA_NS / Math.sqrt(BLOCKS)) * random.between(0.8, 1.25),
      freqSigmaPpb: FREQ_SIGMA_PPB,
      belowBoundNs: delayNs,
      aboveBoundNs: delayNs,
      delayForwardNsMin: delayNs,
      delayReverseNsMin: delayNs,
      jitterForwardNs: random.between(100, 500),
      jitterReverseNs: random.between(100, 500),
      keptShare: 0.9,
      ownerCarrySigmaNs: 5,
      otherCarrySigmaNs: 5,
    };
  }
}

/**
 * How long after a round's close a host has all its fits (ns): stamps are settled after 20 ms, each
 * end reads them out twenty times a second in a phase of its own, and the slowest neighbour decides.
 */
export function reportDelayNs(seed: number, host: number, neighbours: readonly number[]): number {
  const phase = (h: number) => unitOf(mix32(seed ^ 0x7068, h));
  return 20e6 + 50e6 * neighbours.reduce((most, h) => Math.max(most, phase(h)), phase(host));
}
