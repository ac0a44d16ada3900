/** What of the regions of a domain outlives a coordinator: who leads in each, and who are its anchors. */
import type { DomainMemory } from "./memory.ts";
import type { Region } from "./region.ts";

/** The region that leads, and those that follow it by name. */
export type RegionsMemory = Pick<DomainMemory, "leadership" | "anchors" | "regions">;

const NOBODY = { leadership: { referenceId: "", losses: [] }, anchors: [] };

/** @param first the region that leads, or the one that would begin */
export function regionsToMemory(first: Region | undefined, all: Iterable<Region>): RegionsMemory {
  const of = ({ leadership, anchors }: Region) => ({
    leadership: leadership.toMemory(),
    anchors: anchors.toMemory(),
  });
  const others = [...all].filter((region) => region !== first);
  return {
    ...(first ? of(first) : NOBODY),
    regions: others.map((region) => ({ name: region.name, ...of(region) })),
  };
}

/** The same without what changes all the time: a text that is another when there is news. */
export function whoLeads(first: Region | undefined, all: Iterable<Region>): string {
  const of = ({ leadership, anchors }: Region) =>
    `${leadership.referenceId} ${anchors.toMemory().join(" ")}`;
  const others = [...all].filter((region) => region !== first);
  return [...(first ? [first] : []), ...others].map(of).join("; ");
}
