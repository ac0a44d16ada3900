/**
 * Chooses the reference: the host whose raw clock carries domain time.
 *
 * Rank goes by `clock_quality`; among equals the host that has been LOCKED longest, then the one
 * that joined first, then the id. Until somebody is LOCKED the best connected host leads, so a
 * reference that joins late still becomes it. After that the choice is kept while the host is
 * connected, because a change of reference is the riskiest thing a domain does.
 */
import { connectedHosts, type Host } from "./host.ts";

/** A reference that is gone is given this long to come back (ms): a restart, not a death. */
const REFERENCE_GRACE_MS = 3_000;

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

/**
 * The host to lead from now on.
 *
 * @param current the present reference, if any
 * @param lockedOnce true once any host has told this coordinator that it is LOCKED
 * @param awayMs for how long the present reference has been disconnected or without a single fit (ms)
 */
export function chooseReference(
  hosts: Iterable<Host>,
  current: Host | undefined,
  lockedOnce: boolean,
  awayMs: number,
): Host | undefined {
  const all = [...hosts];
  const candidates = rankHosts(connectedHosts(all));
  if (!current || !lockedOnce) return candidates[0] ?? current;
  if (awayMs < REFERENCE_GRACE_MS) return current;
  // A host that was never solved for must not take over a domain whose other hosts were.
  const others = candidates.filter((h) => h !== current);
  return others.find((h) => h.track?.fix) ?? (anySolved(all) ? current : others[0]) ?? current;
}

const anySolved = (hosts: readonly Host[]): boolean => hosts.some((h) => h.track?.fix);

/** Why this host leads, in words for the log. */
export function referenceReason(chosen: Host, hosts: Iterable<Host>): string {
  const rivals = [...hosts].filter(
    (h) => h !== chosen && h.hello.clockQuality === chosen.hello.clockQuality,
  );
  const { clockQuality } = chosen.hello;
  const nobody = clockQuality <= 1 ? ", nobody has more than 1" : "";
  const quality = `clock_quality ${clockQuality}${nobody}`;
  if (rivals.length === 0) return `the highest ${quality}`;
  const rule = "the longest LOCKED, then the first to join, leads";
  return `${quality}, shared with ${rivals.length} other host(s): ${rule}`;
}
