/**
 * Domain time in truth.
 *
 * Domain time is a line on the reference's raw clock; the reference was told it. Of the hosts that
 * take themselves for the reference, the one that heard last is right (a coordinator that cannot be
 * reached by one may have made another). What it was told, and has obeyed, evaluated on its true raw
 * clock, is domain time; nothing that an agent measures enters. A reference that refuses what it is told
 * and keeps a pace of its own strays from domain time like any other host.
 */
import { toSegment } from "@ttcs/agent/core";
import { DomainLine } from "@ttcs/discipline";
import type { Correction } from "@ttcs/protocol";
import type { RawNanos } from "@ttcs/units";
import { UNIX_ZERO_NS } from "./host-clock.ts";
import type { SimHost } from "./sim-host.ts";

/** Where domain time lies. */
export interface Domain {
  readonly reference: SimHost;
  readonly line: DomainLine;
  /** Zero of the reference's raw clock when it was told the line; a boot moves it (ns). */
  readonly rawZeroNs: bigint;
  readonly term: bigint;
  readonly round: bigint;
}

/** Who carries domain time now; `before` when nobody says that it does. */
export function domainOf(
  hosts: readonly SimHost[],
  before: Domain | undefined,
): Domain | undefined {
  let newest: SimHost | undefined;
  for (const host of hosts) {
    const { keeper } = host.core;
    if (!host.alive || !keeper.correction?.isReference || !keeper.line) continue;
    if (newest && !isLater(keeper, newest.core.keeper)) continue;
    newest = host;
  }
  if (!newest) return before;
  const { correction, term, round } = newest.core.keeper;
  // A reference that has started again holds the line that it has saved, which was overtaken.
  if (before && isLater(before, newest.core.keeper)) return before;
  const { rawZeroNs } = newest.clock;
  return { reference: newest, line: lineOf(correction!), rawZeroNs, term, round };
}

/** The line that a correction tells. */
export const lineOf = ({ segments }: Correction): DomainLine =>
  new DomainLine(segments.map(toSegment));

interface Told {
  readonly term: bigint;
  readonly round: bigint;
}

const isLater = (a: Told, b: Told): boolean =>
  a.term > b.term || (a.term === b.term && a.round > b.round);

/** Domain time at a true instant, less the start's civil time (ns). */
export const domainNsAt = ({ line, reference, rawZeroNs }: Domain, nowNs: number): number =>
  lineNsAt(line, reference, nowNs, rawZeroNs);

/** What a line on a host's raw clock shows at a true instant, less the start's civil time (ns). */
export function lineNsAt(
  line: DomainLine,
  host: SimHost,
  nowNs: number,
  rawZeroNs: bigint = host.clock.rawZeroNs,
): number {
  const rawNs = host.clock.rawNsAt(nowNs);
  const wholeNs = Math.floor(rawNs);
  const at = line.at((rawZeroNs + BigInt(wholeNs)) as RawNanos);
  return Number(at.unixNs - UNIX_ZERO_NS) + at.fractionNs + (rawNs - wholeNs);
}
