/**
 * Which hosts and edges of a round contradict the rest, before anything is solved.
 *
 * Problem: a host that tells some of its partners one time and others another pulls everybody who
 * believes it, and robust weights find that out only as long as the liars are few. Approach: an edge
 * whose guaranteed interval has nothing in common with where the anchors have its two ends
 * (`anchor-places.ts`), or whose other end's audit excludes it (`fits.ts`), is impossible: no path, no
 * queue and no asymmetry explains it. It is left out, and its blame is shared between its two ends
 * (`blame.ts`), so that nobody is blamed for his partners.
 *
 * On hosts whose contradictions stay within what their paths allow this says nothing: those are for
 * robust weights, learned biases and the court of edges, and inside every bound.
 */
import type { NetworkSolution } from "@ttcs/estimator";
import type { Alignment, MeshRows } from "./alignment.ts";
import { AnchorPlaces } from "./anchor-places.ts";
import { Blame } from "./blame.ts";
import { whyNoConsensus } from "./consensus.ts";
import type { MeshFit } from "./fits.ts";
import type { CaseChange } from "./host-cases.ts";
import { HostCases } from "./host-cases.ts";

/** Fewer hosts than this cannot tell which of two that contradict each other lies. */
const HOSTS_MIN = 5;
/**
 * A host is blamed from this share of its edges on; an honest one bears next to no blame, and in a
 * clean mesh nobody does.
 */
const BLAME_SHARE = 0.1;
/** One edge has two ends: a single one blames nobody, and of two a little may rest on the other ends. */
const BLAME_EDGES_MIN = 2;
const BLAME_MIN = 1.5;
/** An edge is possible within its bound and this much more (ns), */
const SLACK_NS_MIN = 1_000;
/** or this share of the region in which most agree on a place. */
const SLACK_SHARE = 0.5;
/** While all edges agree to within this share of their bounds, none is impossible. */
const QUIET_SHARE = 0.5;

/**
 * While some contradict the others still, a consensus that was lost counts again after so many rounds in
 * a row (2 s): where liars are too many, one round in hundreds may agree on the wrong side.
 */
const CONSENT_ROUNDS = 4;

/** What a round's word against word came to. */
export interface HostVerdict {
  /** 1: the edge takes no part; undefined: all do. */
  readonly excluded: Uint8Array | undefined;
  /** Why a host takes no part in this round, by its number. */
  readonly out: ReadonlyMap<number, string>;
  /** Why nothing can be published; empty: most agree. */
  readonly noConsensus: string;
  /** Where the anchors have each row (ns, NaN: nowhere); undefined: nothing asks for it. */
  readonly placeNs: Float64Array | undefined;
}

/**
 * From this share of outliers on robust weights begin where the anchors have the hosts: attacks that
 * hurt anybody made 8 % of the edges inconsistent and more, mostly 12 to 60 %.
 */
const OUTLIER_SHARE = 0.06;
/** Or from this scale of the residuals on, in sigmas: with many outliers all look usual. */
const OUTLIER_SCALE = 2;
/** Such rounds are remembered for this long (a minute): whoever lies now and then comes again. */
const WARY_ROUNDS = 120;
/**
 * It is right to begin there when this share of the edges fits the solution within three sigmas of its
 * own noise, and more than fit the usual one.
 */
const FITTING_SHARE = 0.55;
const FITTING_SIGMAS = 3;
const GAIN_SHARE = 0.002;
/** Tukey's constant, by which trust tells a residual. */
const TUKEY_C = 4.685;
/** Places that fit no better are not tried again for this long (10 s). */
const PATIENCE_ROUNDS = 20;
/** Trust below which an edge counts as an outlier. */
const TRUST_OUTLIER = 0.05;

/** Nobody contradicts anybody. */
export const EVERYBODY: HostVerdict = {
  excluded: undefined,
  out: new Map(),
  noConsensus: "",
  placeNs: undefined,
};

/** One for one domain. */
export class HostVerdicts {
  readonly cases = new HostCases();
  readonly #places = new AnchorPlaces();
  readonly #blame = new Blame();
  /** 1: the edge is impossible. */
  #bad = new Uint8Array(0);
  /** Rounds for which places are still asked for. */
  #wary = 0;
  /** Rounds for which they are not tried again. */
  #patience = 0;
  /** Why there was no consensus last, and how many rounds have to agree yet. */
  #lost = { why: "", rounds: 0 };

  /** Judges a round. */
  judge(
    aligned: Alignment,
    mesh: MeshRows,
    fits: readonly MeshFit[],
    anchors: ReadonlySet<number> | undefined,
  ): HostVerdict {
    const { hosts, edgeCount } = aligned;
    if (hosts.length < HOSTS_MIN) return EVERYBODY;
    const { cases } = this;
    const quiet = cases.isEmpty && isQuiet(aligned, mesh, fits);
    if (quiet) this.#lost.rounds = 0;
    if (quiet && this.#wary === 0) return EVERYBODY;
    const placeNs = this.placesNow(aligned, mesh, anchors);
    const wary = { ...EVERYBODY, placeNs };
    if (quiet) return wary;
    if (this.#bad.length !== edgeCount) this.#bad = new Uint8Array(edgeCount);
    let badCount = 0;
    for (let e = 0; e < edgeCount; e++) {
      const isBad = fits[mesh.fitOf[e]].contested === true || this.#isImpossible(aligned, e);
      this.#bad[e] = isBad ? 1 : 0;
      if (isBad) badCount++;
    }
    const accused = this.#accuse(aligned, mesh);
    cases.judge(accused, (host) => mesh.rowOf.has(host));
    const out = new Map(accused);
    for (const host of cases.expelled) out.set(host, cases.reasonOf(host));
    if (badCount === 0 && out.size === 0) {
      this.#lost.rounds = 0;
      return this.#wary > 0 ? wary : EVERYBODY;
    }
    const noConsensus = this.#lasting(whyNoConsensus({ hosts, anchors, out, badCount, edgeCount }));
    return { excluded: this.#exclusions(aligned, out), out, noConsensus, placeNs };
  }

  /**
   * Solves a round's offsets, where needed from where the anchors have the hosts.
   *
   * That is right where most edges fit those places as well as their noise lets them. Where all edges
   * are biased none does, and the anchors know no more than the others.
   *
   * @param solve solves, its robust weights beginning at the places given
   */
  solveWary(
    solve: (witnessed: Float64Array | undefined) => Pick<NetworkSolution, "trust" | "scale">,
    placeNs: Float64Array | undefined,
    places: () => Float64Array,
  ): void {
    const first = solve(placeNs);
    this.#patience = Math.max(0, this.#patience - 1);
    this.#wary = Math.max(0, this.#wary - 1);
    if (placeNs) {
      if (hasOutliers(first)) this.#wary = WARY_ROUNDS;
      if (fitting(first) >= FITTING_SHARE) return;
    } else {
      if (this.#patience > 0 || !hasOutliers(first)) return;
      const before = fitting(first);
      if (fitting(solve(places())) >= Math.max(FITTING_SHARE, before + GAIN_SHARE)) {
        this.#wary = WARY_ROUNDS;
        return;
      }
    }
    this.#wary = 0;
    this.#patience = PATIENCE_ROUNDS;
    solve(undefined);
  }

  /** Where the anchors have each row of this round (ns, NaN: nowhere); the column is reused. */
  placesNow(
    aligned: Alignment,
    mesh: MeshRows,
    anchors: ReadonlySet<number> | undefined,
  ): Float64Array {
    this.#places.place(aligned, mesh, anchors, (host) => this.cases.isExpelled(host));
    return this.#places.placeNs;
  }

  /** Which hosts have been expelled or have returned since the last call. */
  takeChanges(): readonly CaseChange[] {
    return this.cases.takeChanges();
  }

  /** Why nothing can be published: in this round, or a few rounds ago. */
  #lasting(why: string): string {
    const lost = this.#lost;
    if (why) this.#lost = { why, rounds: CONSENT_ROUNDS };
    else if (lost.rounds > 0) lost.rounds--;
    return why || (lost.rounds > 0 ? lost.why : "");
  }

  #isImpossible(
    { from, to, surplusNs, belowBoundNs, aboveBoundNs }: Alignment,
    e: number,
  ): boolean {
    const { placeNs, halfNs } = this.#places;
    const restNs = surplusNs[e] - (placeNs[to[e]] - placeNs[from[e]]);
    const regionNs = (halfNs[to[e]] + halfNs[from[e]]) / 2;
    const slackNs = Math.max(SLACK_NS_MIN, SLACK_SHARE * regionNs);
    return restNs > belowBoundNs[e] + slackNs || restNs < -aboveBoundNs[e] - slackNs;
  }

  /** Hosts that contradict the mesh, the worst first, each with its reason. */
  #accuse(aligned: Alignment, mesh: MeshRows): Map<number, string> {
    const { hosts } = aligned;
    const outRows = this.cases.expelled
      .map((host) => mesh.rowOf.get(host))
      .filter((row): row is number => row !== undefined && row !== 0);
    const rows: number[] = [];
    // Those who are out already are judged by their word against the others'.
    for (const row of outRows) {
      const { bad, edges } = this.#record(mesh, row, outRows);
      if (bad >= BLAME_EDGES_MIN && bad >= BLAME_SHARE * edges) rows.push(row);
    }
    const blame = this.#blame;
    blame.share(aligned, this.#bad, outRows);
    const blamed = hosts
      .map((_, row) => row)
      .filter((row) => blame.edges[row] >= BLAME_MIN && blame.rate[row] >= BLAME_SHARE)
      .sort((x, y) => blame.rate[y] - blame.rate[x]);
    return new Map(
      [...rows, ...blamed].map((row) => {
        const { bad, edges } = this.#record(mesh, row, []);
        return [hosts[row], `expelled: ${bad} of ${edges} edges contradict the mesh`];
      }),
    );
  }

  /** How many edges a row has, and how many of them are impossible; those to some rows left out. */
  #record(mesh: MeshRows, row: number, without: readonly number[]): { bad: number; edges: number } {
    const { start, edge, other } = mesh.incidence;
    let bad = 0;
    let edges = 0;
    for (let i = start[row]; i < start[row + 1]; i++) {
      if (without.includes(other[i])) continue;
      edges++;
      bad += this.#bad[edge[i]];
    }
    return { bad, edges };
  }

  #exclusions({ hosts, from, to, edgeCount }: Alignment, out: ReadonlyMap<number, string>) {
    const excluded = this.#bad.slice(0, edgeCount);
    if (out.size === 0) return excluded;
    const isOut = Uint8Array.from(hosts, (host) => (out.has(host) ? 1 : 0));
    for (let e = 0; e < edgeCount; e++) if (isOut[from[e]] + isOut[to[e]] > 0) excluded[e] = 1;
    return excluded;
  }
}

function hasOutliers({ trust, scale }: Pick<NetworkSolution, "trust" | "scale">): boolean {
  if (scale > OUTLIER_SCALE) return true;
  let outliers = 0;
  for (let e = 0; e < trust.length; e++) if (!(trust[e] >= TRUST_OUTLIER)) outliers++;
  return outliers > OUTLIER_SHARE * trust.length;
}

/** Share of the edges whose residuals are within their own noise. */
function fitting({ trust, scale }: Pick<NetworkSolution, "trust" | "scale">): number {
  const share = FITTING_SIGMAS / (TUKEY_C * scale);
  const least = share < 1 ? (1 - share * share) ** 2 : 0;
  let count = 0;
  for (let e = 0; e < trust.length; e++) if (trust[e] >= least && trust[e] > 0) count++;
  return count / trust.length;
}

/** True when all edges agree far within their bounds: then nobody can be told to lie. */
function isQuiet(aligned: Alignment, mesh: MeshRows, fits: readonly MeshFit[]): boolean {
  const { surplusNs, belowBoundNs, aboveBoundNs, edgeCount } = aligned;
  for (let e = 0; e < edgeCount; e++) {
    const sizeNs = Math.abs(surplusNs[e]);
    if (sizeNs > QUIET_SHARE * Math.min(belowBoundNs[e], aboveBoundNs[e])) return false;
    if (fits[mesh.fitOf[e]].contested === true) return false;
  }
  return true;
}
