/**
 * Whether enough hosts agree for anything to be published.
 *
 * What is left after liars are out is only right while the liars are a minority. With no more than a
 * third of the hosts out the rest is a sure majority, however the others collude (Lamport, Shostak and
 * Pease, "The Byzantine Generals Problem", ACM TOPLAS 4(3), 1982); beyond, or when half of the anchors
 * or the reference itself contradict the others, nobody can say who is right: hosts hold over.
 */

/** More hosts out than this share: no consensus. */
const OUT_SHARE_MAX = 1 / 3;
/** More impossible edges than a third of the hosts make of a complete mesh, 1 - (2/3)^2: none. */
const BAD_SHARE_MAX = 5 / 9;

/** What a round found. */
export interface Division {
  readonly hosts: readonly number[];
  readonly anchors: ReadonlySet<number> | undefined;
  /** Hosts that are left out, with the reason. */
  readonly out: ReadonlyMap<number, string>;
  readonly badCount: number;
  readonly edgeCount: number;
}

/** Why there is no consensus; empty: there is. */
export function whyNoConsensus({ hosts, anchors, out, badCount, edgeCount }: Division): string {
  const isOut = (host: number) => out.has(host);
  const gone = hosts.filter(isOut).length;
  const edges = `no consensus: ${badCount} of ${edgeCount} edges contradict each other`;
  if (isOut(hosts[0])) return `${edges}, the reference's own among them`;
  const witnesses = hosts.filter((host) => anchors?.has(host));
  const faithless = witnesses.filter(isOut).length;
  if (2 * faithless >= witnesses.length && faithless > 0) {
    return `${edges}; ${faithless} of ${witnesses.length} anchors would have to be left out`;
  }
  if (gone > OUT_SHARE_MAX * hosts.length) {
    return `${edges}; ${gone} of ${hosts.length} hosts would have to be left out`;
  }
  return badCount > BAD_SHARE_MAX * edgeCount ? edges : "";
}
