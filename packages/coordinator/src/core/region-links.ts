/**
 * The upper layer of a domain with regions: where each local reference's clock lies against the
 * domain's.
 *
 * Gateway edges, carried to the local references (`gateway-fits.ts`), are a mesh whose hosts are the
 * regions. As below, one instant, robust least squares, a court for edges that lie for long, the best
 * path's bound; and each region's link is followed through time (`host-track.ts`). A long path's noise
 * is large and two good crystals wander little, so that filter's memory is what the crystals allow.
 *
 * When a reference changes, above or below, the link begins where the two lines, which go on, have it.
 *
 * It cannot see: an asymmetry that all ways between two regions share. The bound holds it.
 */
import { EdgeCourt, HostFilter, NetworkSolver, pathBounds } from "@ttcs/estimator";
import { diffNs, type RawNanos } from "@ttcs/units";
import { Aligner, fromLogPpb } from "./alignment.ts";
import type { DomainScale } from "./domain-scale.ts";
import { type EdgeView, excludedEdges, judgeEdges } from "./edge-verdicts.ts";
import type { MeshFit } from "./fits.ts";
import { carryToReferences } from "./gateway-fits.ts";
import type { Host } from "./host.ts";
import { freshShare } from "./host-shares.ts";
import { trackHost } from "./host-track.ts";
import { EVERYBODY } from "./host-verdicts.ts";
import { pairKey } from "./mesh.ts";
import type { LastRest, Region } from "./region.ts";
import { rateAt } from "./region-follow.ts";

/** What is supposed of a region's line when nobody remembers it, as after a restart of the server. */
const SUPPOSED: Omit<LastRest, "boundNs"> = {
  ns: 0,
  ratePpb: 0,
  sigmaNs: 3_000,
  freqSigmaPpb: 100,
};

/** Root of the rounds for which a slow error lasts: some ten seconds. */
const SLOW_WEIGHT = 5;

/** A gateway's fit with its ends. */
interface Carried {
  readonly fit: MeshFit;
  readonly from: Host;
  readonly to: Host;
}

/** See the module head. */
export class RegionLinks {
  readonly #aligner = new Aligner();
  readonly #court = new EdgeCourt();
  readonly #views = new Map<number, EdgeView[]>();
  #graph: unknown;
  #offsets: NetworkSolver | undefined;
  #freqs: NetworkSolver | undefined;

  /** Forgets edges that are not dealt any more. */
  retain(dealt: ReadonlySet<string>): void {
    this.#court.retain(dealt);
  }

  /** What the last solve made of a host's gateway edges. */
  viewsOf(host: number): readonly EdgeView[] {
    return this.#views.get(host) ?? [];
  }

  /**
   * Brings all links up to date.
   *
   * @param fits those of the gateway edges
   * @param regionOf the region of each host
   */
  solve(
    home: Region,
    regions: Iterable<Region>,
    fits: readonly MeshFit[],
    regionOf: ReadonlyMap<number, Region>,
  ): void {
    this.#views.clear();
    const reference = home.leadership.reference;
    if (!reference || !home.result) return;
    const { atRefRawNs } = home.result;
    const byReference = new Map<number, Region>();
    for (const region of regions) {
      if (region === home) continue;
      const local = region.leadership.reference;
      if (!local) continue;
      byReference.set(local.number, region);
      reseed(home, region, reference, local, atRefRawNs);
    }
    const carried = carryAll(fits, regionOf);
    if (carried.length > 0) this.#solve(reference, atRefRawNs, carried, byReference);
  }

  #solve(
    reference: Host,
    atRefRawNs: RawNanos,
    carried: readonly Carried[],
    byReference: ReadonlyMap<number, Region>,
  ): void {
    const aligned = this.#aligner.align(
      reference.number,
      atRefRawNs,
      carried.map(({ fit }) => fit),
    );
    const mesh = this.#aligner.mesh!;
    const { graph, fitOf } = mesh;
    if (graph.edgeCount === 0) return;
    if (this.#graph !== mesh) {
      this.#graph = mesh;
      this.#offsets = new NetworkSolver(graph, 0, mesh.incidence);
      this.#freqs = new NetworkSolver(graph, 0, mesh.incidence, this.#offsets);
    }
    // Regions have several edges between them: the court knows each by its own ends.
    const places = Int32Array.from(fitOf, (f) =>
      this.#court.placeOf(pairKey(carried[f].from.number, carried[f].to.number)),
    );
    const excluded = excludedEdges(aligned, EVERYBODY, this.#court, places);
    const { surplusNs, logFreqPpb, freqSigmaPpb, belowBoundNs, aboveBoundNs } = aligned;
    this.#offsets!.solve({ offsetNs: surplusNs, sigmaNs: aligned.sigmaNs, excluded });
    this.#freqs!.solve({ offsetNs: logFreqPpb, sigmaNs: freqSigmaPpb, excluded });
    const offsets = this.#offsets!.told();
    const freqs = this.#freqs!.told();
    judgeEdges(aligned, offsets, this.#court, places);
    const bounds = pathBounds({
      ...graph,
      reference: 0,
      offsetNs: surplusNs,
      belowBoundNs,
      aboveBoundNs,
    });
    const fresh = freshShare(aligned, offsets.trust);
    aligned.hosts.forEach((number, row) => {
      const region = byReference.get(number);
      if (!region || row === 0 || !Number.isFinite(offsets.xNs[row])) return;
      const link = { track: region.link?.track };
      const sigmaNs = offsets.sigmaNs[row];
      const slowNs = sigmaNs * Math.sqrt(1 - fresh[row]);
      const refusal = trackHost(link, atRefRawNs, {
        rawNs: aligned.baseRawNs[row] as RawNanos,
        restNs: aligned.restNs[row] + offsets.xNs[row],
        // What stays for many rounds, as a floor that is not well known yet, is counted twice: as
        // noise of all those rounds, so that a young edge's error does not pass for a frequency, and as
        // what no filter takes away.
        offsetSigmaNs: Math.hypot(sigmaNs * Math.sqrt(fresh[row]), SLOW_WEIGHT * slowNs),
        slowSigmaNs: slowNs,
        freqPpb: fromLogPpb(freqs.xNs[row]),
        freqSigmaPpb: freqs.sigmaNs[row],
        lowNs: aligned.restNs[row] + bounds.lowNs[row],
        highNs: aligned.restNs[row] + bounds.highNs[row],
        edgeCount: graph.edgeCount,
        residualRmsNs: 0,
      });
      region.link = link.track && {
        domainReference: reference.number,
        localReference: number,
        track: link.track,
      };
      if (!refusal) region.heardRefRawNs = atRefRawNs;
    });
    for (let e = 0; e < graph.edgeCount; e++) {
      const { from, to } = carried[fitOf[e]];
      const expelled = excluded[e] === 1 ? this.#court.standingAt(places[e]).reason : "";
      const $typeName = "clocksync.EdgeVerdict" as const;
      const view = {
        $typeName,
        sigmaNs: offsets.edgeSigmaNs[e],
        weight: offsets.trust[e],
        expelled,
      };
      const residualNs = offsets.residualNs[e];
      this.#tell(from, { ...view, hostNumber: to.number, residualNs });
      this.#tell(to, { ...view, hostNumber: from.number, residualNs: -residualNs });
    }
  }

  #tell(host: Host, view: EdgeView): void {
    const views = this.#views.get(host.number);
    if (views) views.push(view);
    else this.#views.set(host.number, [view]);
  }
}

function carryAll(fits: readonly MeshFit[], regionOf: ReadonlyMap<number, Region>): Carried[] {
  const carried: Carried[] = [];
  for (const fit of fits) {
    const [ours, theirs] = [regionOf.get(fit.owner), regionOf.get(fit.other)];
    const [from, to] = [ours?.members.get(fit.owner), theirs?.members.get(fit.other)];
    const [a, b] = [ours?.leadership.reference, theirs?.leadership.reference];
    if (!from || !to || !a || !b || !ours?.result || !theirs?.result) continue;
    const composed = carryToReferences(fit, from, a, to, b);
    if (composed) carried.push({ fit: composed, from, to });
  }
  return carried;
}

/** Begins a link anew where the lines have it, when it lies between other clocks than now. */
function reseed(
  home: Region,
  region: Region,
  reference: Host,
  local: Host,
  atRefRawNs: RawNanos,
): void {
  const { link } = region;
  const isSame = link?.domainReference === reference.number && link.localReference === local.number;
  if (isSame && link.track.referenceZeroNs <= atRefRawNs) return;
  region.link = undefined;
  const [above, below] = [home.leadership.scale, region.leadership.scale];
  if (!above || !below) return;
  const rest = region.rest ?? { ...SUPPOSED, boundNs: reportedBoundNs(region) };
  region.link = {
    domainReference: reference.number,
    localReference: local.number,
    track: trackByLines(above, below, atRefRawNs, rest),
  };
  region.heardRefRawNs = undefined;
}

/** A host that states a larger bound states none: it cannot read its clock, or makes it up (ns). */
const STATED_MAX_NS = 1e9;

/** The largest bound that hosts of a region report: what their lines have kept through a restart (ns). */
function reportedBoundNs(region: Region): number {
  let worst = 0;
  for (const { report } of region.members.values()) {
    if (!report?.line || !(report.boundNs <= STATED_MAX_NS)) continue;
    worst = Math.max(worst, report.boundNs);
  }
  return worst;
}

/** The track by which the region's line is `rest` behind the domain's. */
function trackByLines(
  above: DomainScale,
  below: DomainScale,
  atRefRawNs: RawNanos,
  rest: LastRest,
) {
  const [domain, region] = [above.line(), below.line()];
  const shown = domain.at(atRefRawNs);
  const hostZeroNs = region.rawAt(
    (shown.unixNs - BigInt(Math.round(rest.ns - shown.fractionNs))) as typeof shown.unixNs,
  );
  const rate =
    (1 + rateAt(domain, atRefRawNs) - rest.ratePpb * 1e-9) / (1 + rateAt(region, hostZeroNs));
  const filter = new HostFilter();
  filter.update(0, 0, rest.sigmaNs, (rate - 1) * 1e9, rest.freqSigmaPpb);
  return {
    hostZeroNs,
    referenceZeroNs: atRefRawNs,
    filter,
    fix: {
      atRefRawNs,
      offsetSigmaNs: rest.sigmaNs,
      slowSigmaNs: 0,
      freqSigmaPpb: rest.freqSigmaPpb,
      freqRateSigmaPpbPerS: 0,
      boundNs: rest.boundNs,
      edgeCount: 0,
      residualRmsNs: 0,
    },
  };
}

/** Time since gateways were heard (s); Infinity: they never were. */
export function unheardS(region: Region, atRefRawNs: RawNanos): number {
  const { heardRefRawNs } = region;
  return heardRefRawNs === undefined
    ? Number.POSITIVE_INFINITY
    : diffNs(atRefRawNs, heardRefRawNs) * 1e-9;
}
