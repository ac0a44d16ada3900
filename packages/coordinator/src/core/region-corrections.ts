/**
 * What the corrections of a region's hosts have in common: the region's own line, and how it lies to
 * domain time.
 *
 * Agreement inside the region and agreement with the domain are two things. A host's line is as near
 * to its local reference's as in a domain without regions; to domain time the link's uncertainty is
 * added, and to the bound half of a long round trip, whatever the link has learnt.
 */
import { BOUND_SIGMAS, bentNs, grownBoundNs } from "@ttcs/discipline";
import { diffNs } from "@ttcs/units";
import { LEAD_S, RoundKnots } from "./correction.ts";
import { heirBoundNs, type Regional, type SharedByRound } from "./correction-message.ts";
import type { Region } from "./region.ts";
import { domainRawAt } from "./region-line.ts";
import { unheardS } from "./region-links.ts";
import type { Regions } from "./regions.ts";

/** A link that was not heard for this long is told of (s). */
const SILENT_LINK_S = 3;
/** A correction is used for this long when others follow it (s). */
const USED_FOR_S = 2;

/** What a region's hosts are told in common; undefined: nothing is known yet. */
export function sharedOf(
  region: Region,
  regions: Regions,
  ofDomain: Pick<SharedByRound, "utc" | "alarms">,
  nowMs: number,
): SharedByRound | undefined {
  const { reference, scale } = region.leadership;
  const { result } = region;
  if (!reference || !scale || !result) return undefined;
  const silence = silenceOf(region, regions.home);
  const { utc } = ofDomain;
  const alarms = silence ? [...ofDomain.alarms, silence] : ofDomain.alarms;
  const knots = new RoundKnots(scale, result.atRefRawNs);
  const shared = { reference, scale, knots, result, utc, alarms, nowMs };
  const heirNs = heirBoundNs(region.connected, reference);
  if (regions.count === 1) return { ...shared, heirBoundNs: heirNs };
  const regional = regionalOf(region, regions);
  if (!regional) return undefined;
  // Should nobody of the leading region be heard any more, another region's line is domain time.
  let worstNs = 0;
  for (const other of regions.all) {
    const heirs = heirBoundNs(other.connected, other.leadership.reference);
    worstNs = Math.max(worstNs, heirs + (other.rest?.boundNs ?? 0));
  }
  return { ...shared, heirBoundNs: Math.max(heirNs, worstNs), regional };
}

function regionalOf(region: Region, regions: Regions): Regional | undefined {
  const { home, domain: leading } = regions;
  if (!home || !leading) return undefined;
  const { reference: domainReference, scale: domainScale } = leading;
  const gatewaysOf = (host: number) => regions.links.viewsOf(host);
  const domain = { domainReference, domainScale, gatewaysOf };
  if (region === home) {
    return { ...domain, sigmaNs: 0, freqSigmaPpb: 0, boundNs: 0 };
  }
  const { link, rest } = region;
  const fix = link?.track.fix;
  if (!link || !fix || !rest || !region.result) return undefined;
  const { track } = link;
  const { filter } = track;
  const nowRawNs = domainRawAt(track, region.result.atRefRawNs);
  const ageS = Math.max(0, diffNs(nowRawNs, fix.atRefRawNs) * 1e-9);
  const atS = diffNs(nowRawNs, track.referenceZeroNs) * 1e-9;
  const then = filter.predict(atS + LEAD_S);
  const grownNs = grownBoundNs(fix.boundNs, then.freqSigmaPpb, ageS + USED_FOR_S);
  return {
    ...domain,
    sigmaNs: Math.hypot(then.offsetSigmaNs, fix.slowSigmaNs, rest.ns),
    // The region's line runs off the domain's while it catches up: known, but not to last.
    freqSigmaPpb: Math.abs(rest.ratePpb) / BOUND_SIGMAS,
    // The leader may have bent its line since it was heard.
    boundNs: grownNs + Math.abs(rest.ns) + bentNs(ageS, domainScale.farPull),
  };
}

/** What a region is cut off from, in words; empty: gateways are heard. */
function silenceOf(region: Region, home: Region | undefined): string {
  if (!home || !region.link || !region.result || region === home) return "";
  const silentS = unheardS(region, domainRawAt(region.link.track, region.result.atRefRawNs));
  if (silentS <= SILENT_LINK_S) return "";
  const since = Number.isFinite(silentS) ? ` for ${silentS.toFixed(0)} s` : " yet";
  return `no gateway edge from region "${region.name}" to "${home.name}" was heard${since}: the region agrees inside and holds the domain's last rate`;
}
