/**
 * Round trips that grow on most edges of one host.
 *
 * Problem: a delay of all that goes into (or out of) a host moves its clock by half of itself, and no
 * loop contradicts it. It cannot be corrected; the bound holds it, because it holds half of every round
 * trip. What gives it away is the round trip itself (T. Mizrahi, RFC 7384, section 5.9: delay attacks).
 * Approach: of each edge the least round trip of the last seconds is held against the usual one; when it
 * rises by more than 5 us and a fifth on more than half of a host's edges, an alarm says so.
 *
 * A new route looks the same. So the usual round trip is learnt anew after a minute, and the alarm ends.
 *
 * It cannot see: on which way of the round trip the delay lies, nor one that is there from the
 * beginning.
 */
import type { MeshRows } from "./alignment.ts";
import type { MeshFit } from "./fits.ts";
import { pairKey } from "./mesh.ts";

/** A round trip has risen when it is longer by this (ns) and by this share. */
const RISE_NS_MIN = 5_000;
const RISE_SHARE = 0.2;
/** and by so many times what its least usually varies by. */
const RISE_SPREADS = 5;
/** The least of the last one to two blocks of rounds counts (2 to 4 s): a queue seldom lasts as long. */
const BLOCK_ROUNDS = 4;
const RECENT_ROUNDS = 2 * BLOCK_ROUNDS;
/** Rounds over which the usual round trip is averaged (a minute), and before it is known (10 s). */
const USUAL_ROUNDS = 120;
const USUAL_ROUNDS_MIN = 20;
/** After so many rounds a longer round trip is the usual one (a minute). */
const RELEARN_ROUNDS = 120;
/** Of fewer edges nothing is said. */
const EDGES_MIN = 3;

/** What is remembered of an edge. */
class RoundTrip {
  /** Least of this block of rounds and of the one before (ns). */
  #blockNs = Number.POSITIVE_INFINITY;
  #beforeNs = Number.POSITIVE_INFINITY;
  #rounds = 0;
  #risenRounds = 0;
  #usualNs = 0;
  /** Mean distance of the least from the usual (ns). */
  #spreadNs = 0;

  /** By how much the round trip is longer than usual (ns); 0: it is not; NaN: nothing is known. */
  take(roundTripNs: number): number {
    if (this.#rounds++ % BLOCK_ROUNDS === 0) {
      this.#beforeNs = this.#blockNs;
      this.#blockNs = roundTripNs;
    } else if (roundTripNs < this.#blockNs) this.#blockNs = roundTripNs;
    const leastNs = Math.min(this.#beforeNs, this.#blockNs);
    if (this.#rounds <= RECENT_ROUNDS) {
      this.#usualNs = leastNs;
      return Number.NaN;
    }
    const riseNs = leastNs - this.#usualNs;
    const limitNs = Math.max(
      RISE_NS_MIN,
      RISE_SHARE * this.#usualNs,
      RISE_SPREADS * this.#spreadNs,
    );
    const hasRisen = riseNs > limitNs;
    if (hasRisen && this.#rounds > USUAL_ROUNDS_MIN && ++this.#risenRounds <= RELEARN_ROUNDS) {
      return riseNs;
    }
    if (this.#risenRounds > RELEARN_ROUNDS) this.#usualNs = leastNs;
    this.#risenRounds = 0;
    const gain = 1 / Math.min(this.#rounds - RECENT_ROUNDS, USUAL_ROUNDS);
    this.#spreadNs += gain * (Math.abs(leastNs - this.#usualNs) - this.#spreadNs);
    this.#usualNs += gain * (leastNs - this.#usualNs);
    return this.#rounds > USUAL_ROUNDS_MIN ? 0 : Number.NaN;
  }
}

/** One for one domain. */
export class AsymmetryWatch {
  #byPair = new Map<string, RoundTrip>();
  #mesh: MeshRows | undefined;
  #trips: RoundTrip[] = [];
  #riseNs = new Float64Array(0);
  #alarms = new Map<number, string>();
  #changes: string[] = [];

  /** The alarm of each host that has one, by number. */
  get alarms(): ReadonlyMap<number, string> {
    return this.#alarms;
  }

  /** Takes a round's fits; `fits` are those that the mesh counts by. */
  judge(mesh: MeshRows, fits: readonly MeshFit[], nameOf: (host: number) => string): void {
    if (mesh !== this.#mesh) this.#follow(mesh);
    let risen = 0;
    for (let e = 0; e < this.#trips.length; e++) {
      const { delayForwardNsMin, delayReverseNsMin } = fits[mesh.fitOf[e]];
      this.#riseNs[e] = this.#trips[e].take(delayForwardNsMin + delayReverseNsMin);
      if (this.#riseNs[e] > 0) risen++;
    }
    if (risen === 0 && this.#alarms.size === 0) return;
    const before = this.#alarms;
    this.#alarms = new Map();
    mesh.hosts.forEach((host, row) => {
      const alarm = this.#alarmOf(mesh, row, nameOf(host));
      if (!alarm) return;
      this.#alarms.set(host, alarm);
      if (!before.has(host)) this.#changes.push(alarm);
    });
    for (const host of before.keys()) {
      if (this.#alarms.has(host)) continue;
      this.#changes.push(`round trips of ${nameOf(host)} are as usual again`);
    }
  }

  /** Alarms that have begun or ended since the last call, in words. */
  takeChanges(): readonly string[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  #alarmOf(mesh: MeshRows, row: number, name: string): string | undefined {
    const { start, edge } = mesh.incidence;
    const rises: number[] = [];
    let known = 0;
    for (let i = start[row]; i < start[row + 1]; i++) {
      const riseNs = this.#riseNs[edge[i]];
      if (Number.isNaN(riseNs)) continue;
      known++;
      if (riseNs > 0) rises.push(riseNs);
    }
    if (known < EDGES_MIN || 2 * rises.length <= known) return undefined;
    rises.sort((a, b) => a - b);
    const byUs = Math.round(rises[rises.length >> 1] / 1000);
    const where = `${rises.length} of ${known} edges`;
    return `path asymmetry suspected: round trips of ${name} grew by ${byUs} us on ${where}`;
  }

  #follow(mesh: MeshRows): void {
    const { hosts, graph } = mesh;
    const kept = new Map<string, RoundTrip>();
    this.#mesh = mesh;
    this.#trips = Array.from(graph.from, (from, e) => {
      const key = pairKey(hosts[from], hosts[graph.to[e]]);
      const trip = this.#byPair.get(key) ?? new RoundTrip();
      kept.set(key, trip);
      return trip;
    });
    // Edges that are silent for a round are not forgotten; those of a mesh that is long gone are.
    if (this.#byPair.size > 4 * kept.size) this.#byPair = kept;
    else for (const [key, trip] of kept) this.#byPair.set(key, trip);
    this.#riseNs = new Float64Array(graph.edgeCount);
  }
}
