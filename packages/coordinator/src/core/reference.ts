/**
 * Chooses the reference: the host whose raw clock carries domain time.
 *
 * Rank goes by `clock_quality`; among equals the host that has been LOCKED longest, then the one
 * that joined first, then the id. Until somebody is LOCKED the best connected host leads, so a
 * reference that joins late still becomes it. After that the choice is kept while the host is
 * there, because a change of reference is the riskiest thing a domain does. An heir is the best of those
 * who are not on probation; among equals one with a good source, then an anchor.
 */
import { connectedHosts, type Host } from "./host.ts";

/** A reference that is gone is given this long to come back (ms): a restart, not a death. */
export const REFERENCE_GRACE_MS = 3_000;

/** Best first. Hosts that are not LOCKED come after those that are, among equal quality. */
export function rankHosts(hosts: Iterable<Host>): Host[] {
  const since = (h: Host) => (Number.isNaN(h.lockedSinceMs) ? Infinity : h.lockedSinceMs);
  const bySince = (a: Host, b: Host) => (since(a) === since(b) ? 0 : since(a) - since(b));
  return [...hosts].sort(
    (a, b) =>
      b.hello.clockQuality - a.hello.clockQuality ||
      bySince(a, b) ||
      a.joinOrder - b.joinOrder ||
      (a.id < b.id ? -1 : 1),
  );
}

/** What counts of an heir beside its rank. */
export interface HeirView {
  isOnProbation(host: Host): boolean;
  hasGoodSource(host: Host): boolean;
  isAnchor(host: Host): boolean;
}

/** Best heir first. */
export function rankHeirs(hosts: Iterable<Host>, view: HeirView): Host[] {
  const first = (a: Host, b: Host, is: (h: Host) => boolean) => Number(is(b)) - Number(is(a));
  return rankHosts(hosts).sort(
    (a, b) =>
      first(b, a, (h) => view.isOnProbation(h)) ||
      b.hello.clockQuality - a.hello.clockQuality ||
      first(a, b, (h) => view.hasGoodSource(h)) ||
      first(a, b, (h) => view.isAnchor(h)),
  );
}

/** How things stand with the present reference. */
export interface ReferenceFacts {
  /** True once any host has told this coordinator that it is LOCKED. */
  readonly lockedOnce: boolean;
  /** For how long it has been disconnected, or of no use to most of the domain (ms). */
  readonly awayMs: number;
  /** The hosts among whom to look for an heir, best first; absent: the connected ones by rank. */
  readonly heirs?: readonly Host[] | undefined;
}

/**
 * The host to lead from now on.
 *
 * @param current the present reference, if any
 */
export function chooseReference(
  hosts: Iterable<Host>,
  current: Host | undefined,
  { lockedOnce, awayMs, heirs }: ReferenceFacts,
): Host | undefined {
  const all = [...hosts];
  if (!current || !lockedOnce) return (heirs ?? rankHosts(connectedHosts(all)))[0] ?? current;
  if (awayMs < REFERENCE_GRACE_MS) return current;
  // A host that was never solved for must not take over a domain whose other hosts were.
  const others = (heirs ?? rankHosts(connectedHosts(all))).filter((h) => h !== current);
  const anySolved = (heirs ?? all).some((h) => h.track?.fix);
  return others.find((h) => h.track?.fix) ?? (anySolved ? current : others[0]) ?? current;
}

/** Why this host leads, in words for the log. */
export function referenceReason(chosen: Host, hosts: Iterable<Host>): string {
  const { clockQuality } = chosen.hello;
  const others = [...hosts].filter((h) => h !== chosen);
  const higher = others.filter((h) => h.hello.clockQuality > clockQuality);
  if (higher.length > 0) {
    const names = higher.map((h) => h.id).join(", ");
    return `clock_quality ${clockQuality}, while ${names} cannot lead`;
  }
  const rivals = others.filter((h) => h.hello.clockQuality === clockQuality);
  const nobody = clockQuality <= 1 ? ", nobody has more than 1" : "";
  const quality = `clock_quality ${clockQuality}${nobody}`;
  if (rivals.length === 0) return `the highest ${quality}`;
  const rule = "the longest LOCKED, then the first to join, leads";
  return `${quality}, shared with ${rivals.length} other host(s): ${rule}`;
}
