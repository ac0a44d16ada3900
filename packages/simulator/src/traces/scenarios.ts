/**
 * The stated worlds: how long a packet is under way, and how its stamps are off.
 *
 * S1 to S6 are the worlds in which other programs were measured. Their delays are drawn anew for
 * every packet and direction. "exp" is an exponential variable of mean 1; products of several have
 * the long tails of queues behind bursts. Hops are drawn one by one.
 *
 * "idle" to "load90" and "software" are worlds of coded pairs: FIFO queues with a memory
 * (`queue.ts`), so that a pair meets what pairs meet.
 */
import type { Prng } from "@ttcs/units";
import type { Timestamping } from "../replay/plan.ts";

/** The worlds by name. */
export type ScenarioName =
  | "S1"
  | "S2"
  | "S3"
  | "S4"
  | "S5"
  | "S6"
  | "idle"
  | "load40"
  | "load60"
  | "load80"
  | "load90"
  | "software";

/** One world. */
export interface Scenario {
  readonly timestamping: Timestamping;
  /** One-way delay of a packet that meets nothing, beyond the link's own (ns). */
  readonly floorNs: number;
  /** What a packet waits, drawn for itself (ns; exactly 0: it met nothing). */
  readonly waitNs: (random: Prng) => number;
  /** Load of the queues with a memory that each direction passes (0 to below 1). */
  readonly queueLoads: readonly number[];
  /** How much too early a packet's transmit stamp is, and how much too late its receive stamp (ns). */
  readonly earlyNs: (random: Prng) => number;
  readonly lateNs: (random: Prng) => number;
  /** Share of probes whose delay is short by 50 to 500 ns, when the plan says nothing. */
  readonly earlyShare: number;
  /** Share of packets that are lost, when the plan says nothing. */
  readonly lossShare: number;
  /** A link's directions differ in base delay by up to this, fixed per link (ns). */
  readonly asymmetryNsMax: number;
  /** Every other host is far away; the floor is that of the way between the two regions. */
  readonly twoRegions: boolean;
}

/** Stamps of network cards: normal, 10 ns at each end. */
const CARD_SIGMA_NS = 10;
/** Stamps of software: exponential, 1 us at each end. */
const SOFTWARE_MEAN_NS = 1_000;
const HOPS = 4;

const cardNs = (random: Prng) => CARD_SIGMA_NS * random.normal();
const softwareNs = (random: Prng) => random.exponential(SOFTWARE_MEAN_NS);
const nothing = () => 0;

/** `HOPS` queues in a row, each met with probability `busyShare`; `tails` exponentials each. */
function hopsNs(random: Prng, busyShare: number, meanNs: number, tails: number): number {
  let sum = 0;
  for (let hop = 0; hop < HOPS; hop++) {
    if (random.uniform() >= busyShare) continue;
    let waitNs = meanNs;
    for (let i = 0; i < tails; i++) waitNs *= random.exponential(1);
    sum += waitNs;
  }
  return sum;
}

const card = {
  timestamping: "hardware",
  queueLoads: [],
  earlyNs: cardNs,
  lateNs: cardNs,
  earlyShare: 0,
  lossShare: 0,
  asymmetryNsMax: 0,
  twoRegions: false,
} as const;

const software = {
  ...card,
  timestamping: "kernel",
  earlyNs: softwareNs,
  lateNs: softwareNs,
} as const;

const hops40 = (random: Prng) => hopsNs(random, 0.4, 12_500, 2);

/** Chance of a spike of S4 per packet, and its mean length (ns). */
const SPIKE_SHARE = 0.001;
const SPIKE_MEAN_NS = 2_000_000;

function cloudNs(random: Prng): number {
  const spikeNs = random.uniform() < SPIKE_SHARE ? random.exponential(SPIKE_MEAN_NS) : 0;
  return random.exponential(15_000) + random.exponential(15_000) + spikeNs;
}

/** Noise of both stamps of a probe together: 6 ns, and one in a hundred is early. */
const FINE_CARD_SIGMA_NS = 6 / Math.SQRT2;
const fineCardNs = (random: Prng) => FINE_CARD_SIGMA_NS * random.normal();
/** A program's latency: log-normal, median 1.5 us, one standard deviation is a factor of 4.5. */
const LATENCY_NS = 1_500;
const LATENCY_LOG_SIGMA = 1.5;
const latencyNs = (random: Prng) => LATENCY_NS * Math.exp(LATENCY_LOG_SIGMA * random.normal());

/** The bottleneck of a way has the load that names the world, a second queue a quarter of it. */
const loaded = (load: number): Scenario => ({
  ...card,
  floorNs: 10_000,
  waitNs: nothing,
  queueLoads: [load, load / 4],
  earlyNs: fineCardNs,
  lateNs: fineCardNs,
  earlyShare: 0.01,
});

/** The worlds. */
export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  S1: { ...card, floorNs: 24_000, waitNs: (random) => random.exponential(1_000) },
  S2: { ...card, floorNs: 10_000, waitNs: hops40 },
  S3: { ...card, floorNs: 10_000, waitNs: (random) => hopsNs(random, 0.85, 41_000, 3) },
  S4: { ...software, floorNs: 60_000, waitNs: cloudNs, lossShare: 0.001 },
  S5: {
    ...software,
    floorNs: 30_000_000,
    waitNs: (random) => random.exponential(200_000),
    twoRegions: true,
  },
  S6: { ...card, floorNs: 10_000, waitNs: hops40, asymmetryNsMax: 8_000 },
  idle: loaded(0.03),
  load40: loaded(0.4),
  load60: loaded(0.6),
  load80: loaded(0.8),
  load90: loaded(0.9),
  software: {
    ...loaded(0.4),
    timestamping: "kernel",
    earlyNs: nothing,
    lateNs: latencyNs,
    earlyShare: 0,
  },
};
