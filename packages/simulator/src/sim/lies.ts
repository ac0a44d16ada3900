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
}

/** How far a lie has grown (ns). */
export const shiftOf = (lie: Lie, atNs: number): number => {
  const sinceS = atNs * 1e-9 - lie.atS;
  return sinceS < 0 ? 0 : lie.shiftNs + lie.growthNsPerS * sinceS;
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
