/**
 * Which hosts make a region.
 *
 * A region is what agents say that it is (`region` in the configuration). One with fewer hosts than
 * can outvote a wrong one is no mesh of its own: its hosts belong to the region of the best host, as
 * everybody does where nobody names a region. Round trips are not looked at: regions that nobody has
 * named are left alone, and their long edges weigh as little in the one mesh as they are worth.
 */
import type { Host } from "./host.ts";
import { rankHosts } from "./reference.ts";

/** What a host's region is called when it does not say. */
export const DEFAULT_REGION = "default";
/** Fewer hosts than this cannot outvote a wrong one. */
export const REGION_HOSTS_MIN = 3;

/** The region that a host names. */
export const namedRegion = (host: Host): string => host.hello.region || DEFAULT_REGION;

/** The region that all hosts name; undefined: they name several, or there are none. */
export function onlyNameOf(hosts: Iterable<Host>): string | undefined {
  const names = new Set<string>();
  for (const host of hosts) names.add(namedRegion(host));
  const [name] = names;
  return names.size === 1 ? name : undefined;
}

/** Hosts by region, best first; the region of the best host comes first. */
export function groupByRegion(hosts: Iterable<Host>): Map<string, Host[]> {
  const ranked = rankHosts(hosts);
  const named = new Map<string, Host[]>();
  for (const host of ranked) {
    const name = namedRegion(host);
    const group = named.get(name);
    if (group) group.push(host);
    else named.set(name, [host]);
  }
  const sound = [...named].filter(([, group]) => group.length >= REGION_HOSTS_MIN);
  if (sound.length === named.size) return named;
  const stray = ranked.filter((h) => named.get(namedRegion(h))!.length < REGION_HOSTS_MIN);
  const [home] = sound;
  if (!home) return new Map([[namedRegion(ranked[0]), ranked]]);
  const groups = new Map(sound);
  groups.set(home[0], rankHosts([...home[1], ...stray]));
  return groups;
}
