/**
 * Link conditions of the laboratory: what a probe meets between two hosts.
 *
 * Approach: everything is a hash of seed, hosts and probe number, so that there is no state and each
 * run can be repeated. Probing is one-way and open loop, so that a delay added to a receive stamp is
 * the same to the estimator as a delay of the network.
 *
 * The base delay is drawn per edge and is the same both ways. On some edges half of the asymmetry is
 * added one way and taken away the other, which no estimator can see on one edge alone.
 *
 * What it cannot show: queues, where the delays of successive probes depend on each other; see the
 * network-namespace laboratory for those.
 */
import { hashText, mix32, unitOf } from "@ttcs/units";
import type { LinkConditions } from "../types.ts";

/** Edges draw their base delay within this share of it. */
const BASE_SPREAD = 0.2;
const TWO_32 = 4294967296;
const BASE = hashText("link base");
const ASYMMETRIC = hashText("link asymmetric");
const DIRECTION = hashText("link direction");
const LOSS = hashText("link loss");
const JITTER = hashText("link jitter");

const draw = (key: number, purpose: number): number => unitOf(mix32(key, purpose));

/**
 * What is added to the delay of the probes from one host to another, without jitter (ns, not
 * negative). Both hosts by their number.
 */
export function edgeDelayNs(
  link: LinkConditions,
  seed: number,
  fromHost: number,
  toHost: number,
): number {
  const low = Math.min(fromHost, toHost);
  const edge = mix32(mix32(seed, low), Math.max(fromHost, toHost));
  const baseNs = link.baseDelayNs * (1 + BASE_SPREAD * (2 * draw(edge, BASE) - 1));
  if (draw(edge, ASYMMETRIC) >= link.asymmetricShare) return baseNs;
  const upward = draw(edge, DIRECTION) < 0.5;
  const sign = upward === (fromHost === low) ? 1 : -1;
  return Math.max(0, baseNs + (sign * link.asymmetryNs) / 2);
}

/** The whole added delay of one probe (ns, not negative); NaN when the probe is lost. */
export function probeDelayNs(
  link: LinkConditions,
  seed: number,
  fromHost: number,
  toHost: number,
  probe: number,
): number {
  const directed = mix32(mix32(seed, fromHost), toHost ^ DIRECTION);
  const key = mix32(mix32(directed, probe >>> 0), Math.floor(probe / TWO_32));
  if (draw(key, LOSS) < link.loss) return Number.NaN;
  const jitterNs = -link.jitterNs * Math.log(draw(key, JITTER));
  return edgeDelayNs(link, seed, fromHost, toHost) + jitterNs;
}
