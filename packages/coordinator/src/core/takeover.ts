/**
 * Hands the domain from one reference to another without a step.
 *
 * Domain time is carried on as predicted: the new reference's raw clock is laid against the old
 * one's by its track, and the scale is composed with it. The other hosts' tracks are against the
 * old reference; they are begun anew and filled by the next solve.
 */
import { composeSegments } from "./correction.ts";
import { DomainScale } from "./domain-scale.ts";
import type { Host } from "./host.ts";

/** The scale on the new reference's raw clock; undefined when that host has no track yet. */
export function changeReference(
  before: Host,
  after: Host,
  hosts: ReadonlyMap<number, Host>,
  scale: DomainScale,
): DomainScale | undefined {
  const fix = after.track?.fix;
  if (!after.track || !fix || before === after) return undefined;
  const segments = composeSegments(after.track, false, scale, fix.atRefRawNs);
  for (const host of hosts.values()) host.track = undefined;
  return new DomainScale(segments);
}
