/**
 * Domain time in truth.
 *
 * Domain time is a line on the reference's raw clock; the reference was told it. Of the hosts that
 * take themselves for the reference, the one that heard last is right (a coordinator that cannot be
 * reached by one may have made another). What it was told, evaluated on its true raw clock, is domain
 * time; nothing that an agent measures enters.
 */
import { DomainLine } from "@ttcs/discipline";
import type { RawNanos } from "@ttcs/units";
import { UNIX_ZERO_NS } from "./host-clock.ts";
import type { SimHost } from "./sim-host.ts";

/** Where domain time lies. */
export interface Domain {
  readonly reference: SimHost;
  readonly line: DomainLine;
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
    if (newest && !isLater(host, newest)) continue;
    newest = host;
  }
  if (!newest) return before;
  return { reference: newest, line: new DomainLine(newest.core.keeper.line!.segments) };
}

function isLater(a: SimHost, b: SimHost): boolean {
  const [x, y] = [a.core.keeper, b.core.keeper];
  return x.term > y.term || (x.term === y.term && x.round > y.round);
}

/** What a line on a host's raw clock shows at a true instant, less the start's civil time (ns). */
export function lineNsAt(line: DomainLine, host: SimHost, nowNs: number): number {
  const rawNs = host.clock.rawNsAt(nowNs);
  const wholeNs = Math.floor(rawNs);
  const at = line.at((host.clock.rawZeroNs + BigInt(wholeNs)) as RawNanos);
  return Number(at.unixNs - UNIX_ZERO_NS) + at.fractionNs + (rawNs - wholeNs);
}
