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
import type { Graph } from "./shortest-path.ts";

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

interface Record {
  /** A bit for each of the last rounds, the newest lowest: 1 did not fit. */
  misfits: number;
  expelled: boolean;
  reason: string;
  /** Rounds of fitting since the expulsion. */
  credit: number;
  rounds: number;
  biasNs: number;
  severity: number;
  /** Residuals of the last rounds judged, in a ring (ns). */
  readonly recentNs: Float64Array;
}

/** See the module head. One court for one mesh; keys are the caller's names of edges. */
export class EdgeCourt {
  readonly #records = new Map<string, Record>();

  /**
   * Takes what a round's solve said of an edge and returns what the court thinks now.
   *
   * @param trust the solution's trust; 0: the edge was excluded, so its residual alone is judged.
   * @param residualNs the solution's residual (ns).
   * @param sigmaNs the edge's sigma (ns, above 0), best times the solution's scale. Without both
   *   numbers the round is not counted.
   */
  judge(key: string, trust: number, residualNs: number, sigmaNs: number): EdgeStanding {
    let record = this.#records.get(key);
    if (!record) {
      record = newRecord();
      this.#records.set(key, record);
    }
    if (!Number.isFinite(residualNs) || !(sigmaNs > 0)) return standingOf(record);
    const fits = trust > 0 ? trust >= TRUST_MISFIT : Math.abs(residualNs) <= FIT_SIGMAS * sigmaNs;
    record.recentNs[record.rounds % ROUNDS_JUDGED] = residualNs;
    record.rounds++;
    record.biasNs += (residualNs - record.biasNs) / Math.min(record.rounds, BIAS_ROUNDS);
    record.severity = Math.abs(recentMeanNs(record)) / sigmaNs;
    if (record.expelled) serve(record, fits);
    else tryRecord(record, fits);
    return standingOf(record);
  }

  /** What the court thinks of an edge; undefined: it never came before it. */
  standing(key: string): EdgeStanding | undefined {
    const record = this.#records.get(key);
    return record && standingOf(record);
  }

  /** Forgets an edge: its path or one of its ends has changed. */
  forget(key: string): void {
    this.#records.delete(key);
  }

  /** Forgets all edges that are not in `keys`, for meshes that are woven anew. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#records.keys()) if (!keys.has(key)) this.#records.delete(key);
  }
}

const newRecord = (): Record => ({
  misfits: 0,
  expelled: false,
  reason: "",
  credit: 0,
  rounds: 0,
  biasNs: 0,
  severity: 0,
  recentNs: new Float64Array(ROUNDS_JUDGED),
});

const standingOf = ({ expelled, reason, biasNs, severity }: Record): EdgeStanding => {
  return { expelled, reason, biasNs, severity };
};

function recentMeanNs(record: Record): number {
  const count = Math.min(record.rounds, ROUNDS_JUDGED);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += record.recentNs[i];
  return sum / count;
}

function tryRecord(record: Record, fits: boolean): void {
  record.misfits = ((record.misfits << 1) | (fits ? 0 : 1)) & JUDGED_MASK;
  const count = bitCount(record.misfits);
  if (count < MISFITS_TO_EXPEL) return;
  record.expelled = true;
  record.credit = 0;
  const meanNs = Math.round(recentMeanNs(record));
  const signed = meanNs < 0 ? `${meanNs}` : `+${meanNs}`;
  record.reason = `does not fit the mesh: ${signed} ns over ${ROUNDS_JUDGED} rounds`;
}

function serve(record: Record, fits: boolean): void {
  record.credit = fits ? record.credit + 1 : Math.max(0, record.credit - ROUNDS_LOST_BY_MISFIT);
  if (record.credit < ROUNDS_TO_READMIT) return;
  record.expelled = false;
  record.reason = "";
  record.misfits = 0;
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
