/**
 * The stated worlds S1 to S4 and S6: how long a packet is under way, and how its stamps are off.
 *
 * Delays are drawn anew for every packet and direction. "exp" is an exponential variable of mean 1;
 * products of several have the long tails of queues behind bursts. Hops are drawn one by one.
 */
import type { Prng } from "@ttcs/units";
import type { Timestamping } from "../replay/plan.ts";

/** The worlds by name. */
export type ScenarioName = "S1" | "S2" | "S3" | "S4" | "S6";

/** One world. */
export interface Scenario {
  readonly timestamping: Timestamping;
  /** One-way delay of one packet beyond the link's own (ns). */
  readonly delayNs: (random: Prng) => number;
  /** How much too early a packet's transmit stamp is, and how much too late its receive stamp (ns). */
  readonly earlyNs: (random: Prng) => number;
  readonly lateNs: (random: Prng) => number;
  /** Share of packets that are lost, when the plan says nothing. */
  readonly lossShare: number;
  /** A link's directions differ in base delay by up to this, fixed per link (ns). */
  readonly asymmetryNsMax: number;
}

/** Stamps of network cards: normal, 10 ns at each end. */
const CARD_SIGMA_NS = 10;
/** Stamps of software: exponential, 1 us at each end. */
const SOFTWARE_MEAN_NS = 1_000;
const HOPS = 4;

const cardNs = (random: Prng) => CARD_SIGMA_NS * random.normal();
const softwareNs = (random: Prng) => random.exponential(SOFTWARE_MEAN_NS);

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
  earlyNs: cardNs,
  lateNs: cardNs,
  lossShare: 0,
  asymmetryNsMax: 0,
} as const;

const loaded40 = (random: Prng) => 10_000 + hopsNs(random, 0.4, 12_500, 2);

/** Chance of a spike of S4 per packet, and its mean length (ns). */
const SPIKE_SHARE = 0.001;
const SPIKE_MEAN_NS = 2_000_000;

function cloudNs(random: Prng): number {
  const spikeNs = random.uniform() < SPIKE_SHARE ? random.exponential(SPIKE_MEAN_NS) : 0;
  return 60_000 + random.exponential(15_000) + random.exponential(15_000) + spikeNs;
}

/** The worlds. */
export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  S1: { ...card, delayNs: (random) => 24_000 + random.exponential(1_000) },
  S2: { ...card, delayNs: loaded40 },
  S3: { ...card, delayNs: (random) => 10_000 + hopsNs(random, 0.85, 41_000, 3) },
  S4: {
    timestamping: "kernel",
    delayNs: cloudNs,
    earlyNs: softwareNs,
    lateNs: softwareNs,
    lossShare: 0.001,
    asymmetryNsMax: 0,
  },
  S6: { ...card, delayNs: loaded40, asymmetryNsMax: 8_000 },
};
