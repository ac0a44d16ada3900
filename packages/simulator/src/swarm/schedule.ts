/**
 * A schedule of failures, drawn from a seed: who, what, when, in what kind of network.
 *
 * Plain data: it can be saved, shrunk and replayed without the code that drew it. Failures fall into a
 * stretch after the start, often before everybody is LOCKED; then comes a quiet tail in which everybody
 * has to come back.
 */
import { Prng } from "@ttcs/units";
import { fourHops } from "../scenarios/parts.ts";
import type { Change } from "../sim/changes.ts";
import type { Lie } from "../sim/lies.ts";
import type { SimChanges } from "../sim/options.ts";
import { drawEvent, type EventKind, usualKinds } from "./events.ts";

/** One thing that goes wrong, of one or several changes. */
export interface FailureEvent {
  readonly kind: EventKind;
  readonly changes: readonly Change[];
  readonly lies: readonly Lie[];
}

export const NETWORKS = ["quiet", "loaded", "lossy"] as const;
export type NetworkKind = (typeof NETWORKS)[number];

/** See the module head. */
export interface Schedule {
  readonly seed: number;
  readonly hosts: number;
  readonly network: NetworkKind;
  /** Host 1 is a better standby than the others. */
  readonly standby: boolean;
  /** Servers that share a database; 0: one without a lease. */
  readonly servers: number;
  /** When the last failure is over, and the end of the quiet tail (s). */
  readonly quietS: number;
  readonly endS: number;
  readonly events: readonly FailureEvent[];
}

const HOSTS_MIN = 5;
const HOSTS_MAX = 24;
/** Failures begin and end within these (s); agents are LOCKED some 10 s after the start. */
const FAIL_FROM_S = 4;
const FAIL_UNTIL_S_MIN = 30;
const FAIL_UNTIL_S_MAX = 58;
/**
 * Everybody is LOCKED again within this after the last failure (s): a stream is opened again within 1 s,
 * a lead passes on after 3 s, a window takes 2 s, LOCKED three rounds more, and a clock that was moved
 * by 0.3 ms is slewed back at 50 ppm in 6 s.
 */
export const BACK_WITHIN_S = 30;
const EVENTS_MAX = 8;
/** One server as often as several. */
const SERVERS = [0, 0, 2, 3];

/** Draws the schedule of a seed. */
export function drawSchedule(seed: number, kinds: readonly EventKind[] = usualKinds()): Schedule {
  const random = new Prng(seed);
  // Small domains more often: they are quick, and have less to fall back on.
  const hosts = HOSTS_MIN + Math.floor((HOSTS_MAX - HOSTS_MIN + 1) * random.uniform() ** 3);
  const network = NETWORKS[Math.floor(NETWORKS.length * random.uniform())];
  const standby = random.uniform() < 0.5;
  const servers = SERVERS[Math.floor(SERVERS.length * random.uniform())];
  const untilS = Math.round(random.between(FAIL_UNTIL_S_MIN, FAIL_UNTIL_S_MAX));
  const count = 1 + Math.floor(EVENTS_MAX * random.uniform() ** 1.5);
  const busy = new Map<string, [number, number][]>();
  const events: FailureEvent[] = [];
  for (let i = 0; i < count; i++) {
    const kind = kinds[Math.floor(kinds.length * random.uniform())];
    const stretch = { random, hosts, servers, fromS: FAIL_FROM_S, untilS, busy };
    events.push(drawEvent(kind, stretch));
  }
  const quietS = lastS(events);
  return { seed, hosts, network, standby, servers, quietS, endS: quietS + BACK_WITHIN_S, events };
}

/** When the last of these failures is over (s). */
export function lastS(events: readonly FailureEvent[]): number {
  const ends = events.flatMap(({ changes, lies }) => [
    ...changes.map((c) => c.atS + ("forS" in c ? c.forS : 0)),
    ...lies.map((l) => l.atS),
  ]);
  return Math.max(FAIL_FROM_S, ...ends);
}

/** The world in which a schedule takes place. */
export function worldOf({ seed, hosts, network, standby, servers, events }: Schedule): SimChanges {
  const link = {
    quiet: {},
    loaded: { hops: fourHops(0.4), routeNs: 2_000 },
    lossy: { hops: fourHops(0.2), loss: 0.02 },
  }[network];
  return {
    seed,
    hosts,
    standby,
    servers,
    link,
    changes: events.flatMap((e) => e.changes),
    lies: events.flatMap((e) => e.lies),
  };
}
