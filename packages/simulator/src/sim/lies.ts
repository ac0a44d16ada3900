/** Hosts that lie: about when their probes left, or about what their fits say. */

import { create } from "@bufbuild/protobuf";
import { type AgentMessage, AgentMessageSchema, EdgeFitSchema } from "@ttcs/protocol";

/** A lie of one host. */
export interface Lie {
  readonly host: number;
  /** True: its transmit stamps are shifted. False: the offsets of the fits that it reports are. */
  readonly stamps: boolean;
  /** From when on (s), by how much (ns), and how much more every second (ns). */
  readonly atS: number;
  readonly shiftNs: number;
  readonly growthNsPerS: number;
  /** Indices of the hosts that it lies to; absent: to all. */
  readonly to?: readonly number[];
  /** Told for so long, then not for as long, and so on (s); absent: all the time. */
  readonly switchS?: number;
}

/** Shapes of lies of many hosts at once; see `manyLies`. */
export type LieShape = "shift" | "random" | "split" | "growth" | "switching";
export const LIE_SHAPES: readonly LieShape[] = ["shift", "random", "split", "growth", "switching"];
/** A lie that grows does so by this much every second (ns). */
const GROWTH_NS_PER_S = 1_000;
const SWITCH_S = 3;

/**
 * Lies of several hosts that know of each other. "split": half of all hosts are told one time, half
 * another; "random": each partner its own; "growth" and "switching": split, but by and by, or now and then.
 */
export function manyLies(
  liars: readonly number[],
  hosts: number,
  shape: LieShape,
  what: Pick<Lie, "stamps" | "atS" | "shiftNs">,
): Lie[] {
  const all = Array.from({ length: hosts }, (_, i) => i);
  const { stamps, atS, shiftNs } = what;
  return liars.flatMap((host): Lie[] => {
    const lie = { host, stamps, atS, shiftNs, growthNsPerS: 0 };
    if (shape === "shift") return [lie];
    if (shape === "random") {
      // -1, 0.7 or 1 of the size, by pair.
      const share = (to: number) => ((host * 7 + to * 13) % 3) - 1 || 0.7;
      return all.map((to) => ({ ...lie, shiftNs: share(to) * shiftNs, to: [to] }));
    }
    return [1, -1].map((side) => ({
      ...lie,
      shiftNs: shape === "growth" ? 0 : side * shiftNs,
      growthNsPerS: shape === "growth" ? side * GROWTH_NS_PER_S : 0,
      to: all.filter((to) => (to % 2 === 0 ? 1 : -1) === side),
      ...(shape === "switching" ? { switchS: SWITCH_S } : {}),
    }));
  });
}

/** How far a lie has grown (ns). */
export const shiftOf = (lie: Lie, atNs: number): number => {
  const sinceS = atNs * 1e-9 - lie.atS;
  const isOff = lie.switchS !== undefined && Math.floor(sinceS / lie.switchS) % 2 === 1;
  return sinceS < 0 || isOff ? 0 : lie.shiftNs + lie.growthNsPerS * sinceS;
};

/** A report with shifted offsets; the honest one is left as it is, for its fits belong to others. */
export function lyingReport(
  message: AgentMessage,
  shiftNs: (hostNumber: number) => number,
  ownNumber: number,
): AgentMessage {
  if (message.body.case !== "report") return message;
  const report = message.body.value;
  const fits = report.fits.map((fit) => {
    if (fit.distrust !== "") return fit;
    const mine = fit.owner === ownNumber;
    const byNs = shiftNs(mine ? fit.other : fit.owner);
    return create(EdgeFitSchema, { ...fit, offsetNs: fit.offsetNs + (mine ? byNs : -byNs) });
  });
  return create(AgentMessageSchema, {
    ...(message.header ? { header: message.header } : {}),
    body: { case: "report", value: { ...report, fits } },
  });
}
