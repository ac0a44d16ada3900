/**
 * Deals the mesh of a domain with regions: each region a mesh of its own, and gateway edges between.
 *
 * One region is dealt as a domain without regions is.
 */
import { dealGateways } from "./gateways.ts";
import { dealMesh, type Edge } from "./mesh.ts";

/** See the module head; parameters as `dealMesh`, hosts by region with the region that leads first. */
export function dealRegions(
  regions: readonly (readonly number[])[],
  seed: number,
  before: readonly Edge[],
  neighbours?: number,
  barred?: ReadonlySet<string>,
): Edge[] {
  if (regions.length === 1) return dealMesh(regions[0], seed, before, neighbours, barred);
  const regionOf = new Map(regions.flatMap((hosts, r) => hosts.map((h) => [h, r] as const)));
  const isGateway = ({ a, b }: Edge) => regionOf.get(a) !== regionOf.get(b);
  const inside = before.filter((edge) => !isGateway(edge));
  const meshes = regions.map((hosts) => dealMesh(hosts, seed, inside, neighbours, barred));
  return [...meshes.flat(), ...dealGateways(regions, before.filter(isGateway))];
}
