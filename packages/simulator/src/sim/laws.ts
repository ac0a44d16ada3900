/**
 * Delays that are drawn anew for every packet: the stated worlds S1 to S6 of the comparison with
 * other programs (docs/simulator.md). "exp" is an exponential variable of mean 1; several multiplied
 * have the long tail of queues behind bursts. Such a network has no memory: a pair's two probes know
 * nothing of each other.
 */
import type { Prng } from "@ttcs/units";

/** How long a packet is under way beyond the link's base delay (ns). */
const LAWS = {
  /** A quiet network: exp 1 us. */
  S1: (random: Prng) => random.exponential(1_000),
  /** 4 hops, each busy 40 % of the time: 12.5 us exp exp. */
  S2: (random: Prng) => hops(random, 0.4, 12_500, 2),
  /** 4 hops, each busy 85 %: 41 us exp exp exp. */
  S3: (random: Prng) => hops(random, 0.85, 41_000, 3),
  /** A cloud's virtual machines: two times 15 us exp, and one packet in a thousand 2 ms exp. */
  S4: (random: Prng) =>
    random.exponential(15_000) +
    random.exponential(15_000) +
    (random.uniform() < 0.001 ? random.exponential(2e6) : 0),
  /** Between regions: 200 us exp. */
  S5: (random: Prng) => random.exponential(200_000),
} as const;

/** The laws by name. */
export type LawName = keyof typeof LAWS;

/** What draws a delay of a law (ns, not negative). */
export const lawOf = (law: LawName): ((random: Prng) => number) => LAWS[law];

const HOPS = 4;

function hops(random: Prng, busyShare: number, meanNs: number, tails: number): number {
  let sumNs = 0;
  for (let hop = 0; hop < HOPS; hop++) {
    if (random.uniform() >= busyShare) continue;
    let delayNs = meanNs;
    for (let i = 0; i < tails; i++) delayNs *= random.exponential(1);
    sumNs += delayNs;
  }
  return sumNs;
}
