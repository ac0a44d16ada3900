/**
 * Seeded windows with a known truth, for tests and benchmarks of the edge fit.
 *
 * A's raw clock is true time, B's is offset and fast by a constant rate. Delays are drawn per probe
 * by the caller's model. It does not model what a real link does over time (routes, bursts).
 */
import { Prng, WINDOW_NS } from "@ttcs/units";
import type { EdgeWindow } from "./edge-fit.ts";
import type { ProbeColumns } from "./pairs.ts";

/** Delay of one probe (ns). `member` is 0 for the first of its pair, 1 for the second. */
export type DelayModel = (random: Prng, member: number, forward: boolean) => number;

/** A window to make. */
export interface WindowPlan {
  readonly seed: number;
  /** Offset of B against A at A's zero (ns, positive: B ahead) and B's rate against A (ppb). */
  readonly offsetNs: number;
  readonly freqPpb: number;
  readonly pairCount: number;
  readonly delay: DelayModel;
  /** Zeros of the two clocks (ns). */
  readonly zeroANs?: number;
  readonly zeroBNs?: number;
  /** False: stamps keep their fractions. */
  readonly whole?: boolean;
  readonly loss?: number;
}

/** Exponential delay above a base, each probe on its own (ns). */
export const exponentialDelay =
  (baseNs: number, meanNs: number): DelayModel =>
  (random) =>
    baseNs + random.exponential(meanNs);

/** Kernel stamps: the first of a pair is 1 to 3 us late, and a share of probes meets a queue. */
export const kernelDelay =
  (queuedShare: number, queueNs: number): DelayModel =>
  (random, member) => {
    const wakeNs = member === 0 ? random.between(1000, 3000) + random.exponential(600) : 0;
    const queue = random.uniform() < queuedShare ? random.exponential(queueNs) : 0;
    return 1400 + random.exponential(150) + wakeNs + queue;
  };

/** Makes the window of a plan. */
export function makeWindow(plan: WindowPlan): EdgeWindow {
  const random = new Prng(plan.seed);
  const none = { sigmaNs: 0, boundNs: 0 };
  return {
    forward: makeDirection(plan, random, true),
    reverse: makeDirection(plan, random, false),
    ownerCarry: none,
    otherCarry: none,
    sentForwardCount: 2 * plan.pairCount,
    sentReverseCount: 2 * plan.pairCount,
  };
}

/** The true offset (ns) at an instant of A's clock. */
export function trueOffsetNs(plan: WindowPlan, atANs: number): number {
  const zeroANs = plan.zeroANs ?? 0;
  const zeroBNs = plan.zeroBNs ?? 0;
  return plan.offsetNs + (zeroBNs - zeroANs) + (plan.freqPpb * (atANs - zeroANs)) / 1e9;
}

function makeDirection(plan: WindowPlan, random: Prng, forward: boolean): ProbeColumns {
  const n = 2 * plan.pairCount;
  const probe = new Float64Array(n);
  const txNs = new Float64Array(n);
  const rxNs = new Float64Array(n);
  const round = plan.whole === false ? (x: number) => x : Math.round;
  const onA = (trueNs: number) => round(trueNs + (plan.zeroANs ?? 0));
  const onB = (trueNs: number) =>
    round(trueNs + plan.offsetNs + (plan.freqPpb * trueNs) / 1e9 + (plan.zeroBNs ?? 0));
  let length = 0;
  for (let p = 0; p < plan.pairCount; p++) {
    const atNs = ((p + random.uniform()) * WINDOW_NS) / plan.pairCount;
    const spacingNs = 4000 + random.exponential(4000);
    for (let member = 0; member < 2; member++) {
      const sentNs = atNs + member * spacingNs;
      const arrivedNs = sentNs + plan.delay(random, member, forward);
      if (random.uniform() < (plan.loss ?? 0)) continue;
      probe[length] = 2 * p + member;
      txNs[length] = forward ? onA(sentNs) : onB(sentNs);
      rxNs[length++] = forward ? onB(arrivedNs) : onA(arrivedNs);
    }
  }
  return { length, probe, txNs, rxNs };
}
