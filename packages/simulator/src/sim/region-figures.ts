/**
 * Errors in a world of regions, apart: inside a region against its local reference's line, and across,
 * of hosts outside the region that leads, against domain time. LOCKED hosts alone.
 */
import { Samples } from "./samples.ts";
import type { SimHost } from "./sim-host.ts";
import { type Domain, lineNsAt } from "./truth.ts";

/** See the module head. */
export class RegionFigures {
  readonly inside = new Samples();
  readonly across = new Samples();

  /** Takes one look at all hosts. */
  look(hosts: readonly SimHost[], domain: Domain | undefined, nowNs: number): void {
    if (!domain) return;
    const domainNs = lineNsAt(domain.line, domain.reference, nowNs);
    const localNs = new Map<string, number>();
    for (const host of hosts) {
      const id = host.core.keeper.correction?.localReferenceHostId;
      if (!id || !counts(host, nowNs)) continue;
      if (!localNs.has(id)) localNs.set(id, localLineNs(hosts, id, nowNs));
      const systemNs = host.clock.systemNsAt(nowNs);
      const insideNs = systemNs - localNs.get(id)!;
      if (Number.isFinite(insideNs)) this.inside.push(Math.abs(insideNs));
      if (isFar(host, domain)) this.across.push(Math.abs(systemNs - domainNs));
    }
  }
}

/** True for a host that takes part and is LOCKED. */
const counts = (host: SimHost, nowNs: number): boolean =>
  host.alive &&
  !host.isReference &&
  host.core.standing(host.rawAt(nowNs)).verdict.state === "LOCKED";

const isFar = (host: SimHost, { reference }: Domain): boolean => host.region !== reference.region;

/** The hosts that `across` judges at an instant. */
export const farHosts = (hosts: readonly SimHost[], domain: Domain, nowNs: number): SimHost[] =>
  hosts.filter(
    (host) =>
      isFar(host, domain) &&
      host.core.keeper.correction?.localReferenceHostId &&
      counts(host, nowNs),
  );

/** What a local reference's line shows; NaN: there is none. */
function localLineNs(hosts: readonly SimHost[], id: string, nowNs: number): number {
  const reference = hosts.find((h) => h.id === id && h.alive);
  const line = reference?.core.keeper.line;
  return reference && line ? lineNsAt(line, reference, nowNs) : Number.NaN;
}
