/**
 * Edges that do not fit the mesh, judged over many rounds.
 *
 * Problem: robustness weighs an outlier down within one round and forgets it with the next. An edge
 * that is off all the time, because its two directions take paths of different length, comes back
 * with part of its weight whenever noise lets it, and nobody is told. Approach: an edge that kept
 * nearly no weight in most of its last ten rounds is expelled; it is readmitted after a longer spell
 * of fitting again (hysteresis), in which a round that does not fit counts several times. Its mean
 * residual is followed all the while: with the offset of the mesh as truth it is the edge's own
 * error, half the difference of its least delays.
 *
 * Expulsion must not tear the mesh: the court only wishes, `allowedExclusions` grants.
 *
 * It cannot see which side is right where hosts have few edges: two of three that agree win.
 */
import type { Graph } from "./graph.ts";

/** What the court thinks of an edge. */
export interface EdgeStanding {
  /** True: it should take no part. */
  readonly expelled: boolean;
  /** Why, in plain words; empty while it is not expelled. */
  readonly reason: string;
  /** Smoothed residual (ns, sign as given): half of the edge's asymmetry, as the mesh sees it. */
  readonly biasNs: number;
  /** How far off it is, in sigmas: the larger, the sooner it should go. */
  readonly severity: number;
}

/** Below this trust a round counts as not fitting: 4.1 sigmas with Tukey's weights. */
const TRUST_MISFIT = 0.05;
/** An edge that takes no part fits when its residual is within so many sigmas. */
const FIT_SIGMAS = 4;
/** So many of the last ten rounds that do not fit expel. */
const ROUNDS_JUDGED = 10;
const MISFITS_TO_EXPEL = 8;
/** Rounds of fitting that readmit; one that does not fit takes several back. */
const ROUNDS_TO_READMIT = 20;
const ROUNDS_LOST_BY_MISFIT = 5;
/** Rounds over which the bias is smoothed: 10 s at two a second. */
const BIAS_ROUNDS = 20;
/** Edges that an end should keep, so that its offset is more than one measurement. */
const EDGES_MIN = 2;

const JUDGED_MASK = (1 << ROUNDS_JUDGED) - 1;

/**
 * See the module head. One court for one mesh; keys are the caller's names of edges.
 *
 * Cases are columns, so that a round of ten thousands of edges walks over them in order. Whoever
 * judges the same edges round after round keeps their places (`placeOf`) as long as `version` stays.
 */
export class EdgeCourt {
  readonly #places = new Map<string, number>();
  readonly #free: number[] = [];
  #version = 0;
  /** How many edges are expelled now. */
  #expelledCount = 0;
  /** A bit for each of the last rounds, the newest lowest: 1 did not fit. */
  #misfits = new Int32Array(0);
  #expelled = new Uint8Array(0);
  /** Rounds of fitting since the expulsion. */
  #credit = new Int32Array(0);
  #rounds = new Float64Array(0);
  #biasNs = new Float64Array(0);
  #severity = new Float64Array(0);
  /** Residuals of the last rounds judged, a ring for each edge (ns). */
  #recentNs = new Float64Array(0);
  readonly #reasons = new Map<number, string>();

  /** Changes when an edge was forgotten: places may have gone to others. */
  get version(): number {
    return this.#version;
  }

  get expelledCount(): number {
    return this.#expelledCount;
  }

  /** Where the case of an edge is kept; opens one. */
  placeOf(key: string): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.#free.pop() ?? this.#places.size;
    this.#places.set(key, place);
    if (place >= this.#expelled.length) this.#grow();
    this.#clear(place);
    return place;
  }

  /**
   * Takes what a round's solve said of an edge.
   *
   * @param trust the solution's trust; 0: the edge was excluded, so its residual alone is judged.
   * @param residualNs the solution's residual (ns).
   * @param sigmaNs the edge's sigma (ns, above 0), best times the solution's scale. Without both
   *   numbers the round is not counted.
   */
  judgeAt(place: number, trust: number, residualNs: number, sigmaNs: number): void {
    if (!Number.isFinite(residualNs) || !(sigmaNs > 0)) return;
    const fits = trust > 0 ? trust >= TRUST_MISFIT : Math.abs(residualNs) <= FIT_SIGMAS * sigmaNs;
    this.#recentNs[place * ROUNDS_JUDGED + (this.#rounds[place] % ROUNDS_JUDGED)] = residualNs;
    const rounds = ++this.#rounds[place];
    this.#biasNs[place] += (residualNs - this.#biasNs[place]) / Math.min(rounds, BIAS_ROUNDS);
    this.#severity[place] = Math.abs(this.#recentMeanNs(place)) / sigmaNs;
    if (this.#expelled[place] === 1) this.#serve(place, fits);
    else this.#try(place, fits);
  }

  /** The same by the edge's name; returns what the court thinks now. */
  judge(key: string, trust: number, residualNs: number, sigmaNs: number): EdgeStanding {
    const place = this.placeOf(key);
    this.judgeAt(place, trust, residualNs, sigmaNs);
    return this.standingAt(place);
  }

  isExpelled(place: number): boolean {
    return this.#expelled[place] === 1;
  }

  /** What the court thinks of an edge. */
  standingAt(place: number): EdgeStanding {
    return {
      expelled: this.isExpelled(place),
      reason: this.#reasons.get(place) ?? "",
      biasNs: this.#biasNs[place],
      severity: this.#severity[place],
    };
  }

  /** The same by its name; undefined: it never came before the court. */
  standing(key: string): EdgeStanding | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.standingAt(place);
  }

  /** Forgets an edge: its path or one of its ends has changed. */
  forget(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#clear(place);
    this.#free.push(place);
    this.#version++;
  }

  /** Forgets all edges that are not in `keys`, for meshes that are woven anew. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#places.keys()) if (!keys.has(key)) this.forget(key);
  }

  #recentMeanNs(place: number): number {
    const count = Math.min(this.#rounds[place], ROUNDS_JUDGED);
    const first = place * ROUNDS_JUDGED;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += this.#recentNs[first + i];
    return sum / count;
  }

  #try(place: number, fits: boolean): void {
    const misfits = ((this.#misfits[place] << 1) | (fits ? 0 : 1)) & JUDGED_MASK;
    this.#misfits[place] = misfits;
    if (misfits === 0 || bitCount(misfits) < MISFITS_TO_EXPEL) return;
    this.#expelled[place] = 1;
    this.#expelledCount++;
    this.#credit[place] = 0;
    const meanNs = Math.round(this.#recentMeanNs(place));
    const signed = meanNs < 0 ? `${meanNs}` : `+${meanNs}`;
    const reason = `does not fit the mesh: ${signed} ns over ${ROUNDS_JUDGED} rounds`;
    this.#reasons.set(place, reason);
  }

  #serve(place: number, fits: boolean): void {
    const credit = this.#credit[place];
    this.#credit[place] = fits ? credit + 1 : Math.max(0, credit - ROUNDS_LOST_BY_MISFIT);
    if (this.#credit[place] < ROUNDS_TO_READMIT) return;
    this.#readmit(place);
    this.#misfits[place] = 0;
  }

  #readmit(place: number): void {
    if (this.#expelled[place] === 1) this.#expelledCount--;
    this.#expelled[place] = 0;
    this.#reasons.delete(place);
  }

  #clear(place: number): void {
    this.#readmit(place);
    this.#misfits[place] = 0;
    this.#credit[place] = 0;
    this.#rounds[place] = 0;
    this.#biasNs[place] = 0;
    this.#severity[place] = 0;
  }

  #grow(): void {
    const length = Math.max(64, 2 * this.#expelled.length);
    const larger = (column: Float64Array, size = length) => {
      const out = new Float64Array(size);
      out.set(column);
      return out;
    };
    const [misfits, credit, expelled] = [this.#misfits, this.#credit, this.#expelled];
    this.#misfits = new Int32Array(length);
    this.#misfits.set(misfits);
    this.#credit = new Int32Array(length);
    this.#credit.set(credit);
    this.#expelled = new Uint8Array(length);
    this.#expelled.set(expelled);
    this.#rounds = larger(this.#rounds);
    this.#biasNs = larger(this.#biasNs);
    this.#severity = larger(this.#severity);
    this.#recentNs = larger(this.#recentNs, length * ROUNDS_JUDGED);
  }
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/**
 * Which of the exclusions wished for (1 in `wished`) can be granted, as the `excluded` column of a
 * solve. Nothing that hangs together without exclusions is torn, and no host is left with fewer
 * than two edges by them; of edges that could save a host, the least severe one stays.
 *
 * @param severity how badly each edge fits; read where it is wished for only.
 */
export function allowedExclusions(
  graph: Graph,
  wished: Uint8Array,
  severity: Float64Array,
): Uint8Array {
  const { hostCount, edgeCount, from, to } = graph;
  const excluded = wished.slice(0, edgeCount);
  const degree = new Int32Array(hostCount);
  const islands = new Islands(hostCount);
  const doubtful: number[] = [];
  for (let e = 0; e < edgeCount; e++) {
    if (excluded[e] === 1) doubtful.push(e);
    else keep(e);
  }
  doubtful.sort((a, b) => severity[a] - severity[b]);
  // Kruskal's rule: the least severe edges that are needed to hold everything together.
  for (const e of doubtful) if (!islands.together(from[e], to[e])) keep(e);
  for (const e of doubtful) {
    if (excluded[e] === 1 && Math.min(degree[from[e]], degree[to[e]]) < EDGES_MIN) keep(e);
  }
  return excluded;

  function keep(e: number): void {
    excluded[e] = 0;
    degree[from[e]]++;
    degree[to[e]]++;
    islands.join(from[e], to[e]);
  }
}

/** Disjoint sets of hosts (Tarjan, J. ACM 22(2), 1975), with path halving. */
class Islands {
  readonly #parent: Int32Array;

  constructor(hostCount: number) {
    this.#parent = Int32Array.from({ length: hostCount }, (_, i) => i);
  }

  together(a: number, b: number): boolean {
    return this.#rootOf(a) === this.#rootOf(b);
  }

  join(a: number, b: number): void {
    this.#parent[this.#rootOf(a)] = this.#rootOf(b);
  }

  #rootOf(host: number): number {
    const parent = this.#parent;
    let at = host;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  }
}
