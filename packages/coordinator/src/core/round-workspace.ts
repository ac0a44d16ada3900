/**
 * What the solve of a round keeps for the next: rows, columns, the last solution, the sketches.
 *
 * A round costs little because most of it is known. The mesh is the same as half a second ago, so
 * rows and the shape of the equations stay; clocks have gone on as predicted, so the solve begins
 * where they must be by now; how uncertain hosts are for what their neighbours do not know changes
 * slowly, so it is sketched between the rounds. None of it changes what a round finds beyond the
 * tolerance of the solve, but for the cases of hosts that have contradicted the rest.
 */
import {
  type EdgeCourt,
  type NetworkSolution,
  NetworkSolver,
  PathFinder,
  type ResistanceSketch,
} from "@ttcs/estimator";
import { AbsurdFits } from "./absurd-fits.ts";
import { Aligner, type Alignment, fromLogPpb, type MeshRows } from "./alignment.ts";
import { AsymmetryWatch } from "./asymmetry.ts";
import { HostVerdicts } from "./host-verdicts.ts";
import { pairKey } from "./mesh.ts";

/** A new sketch begins so many rounds after the last one (5 s). */
const SKETCH_ROUNDS = 10;
/** Without anybody who sketches between rounds, a sketch of this age is renewed within one (30 s). */
const SKETCH_ROUNDS_MAX = 60;
/** A clock further from where it should be has a new zero, or is a guess (ns). */
const START_NS_MAX = 1e6;

/** A solver for one mesh and what its sigmas hang on. */
interface Sketched {
  solver: NetworkSolver;
  /** Under way: the sketch, and the mesh that it is of. */
  sketch: ResistanceSketch | undefined;
  sketchMesh: MeshRows | undefined;
  /** Rounds since the newest finished sketch began; Infinity: there is none. */
  age: number;
  sketchAge: number;
}

/** The last round's solution: each host's raw clock at an instant of the reference's. */
interface Solved {
  readonly mesh: MeshRows;
  readonly atRefRawNs: bigint;
  readonly baseRawNs: readonly bigint[];
  readonly restNs: Float64Array;
  readonly logFreqPpb: Float64Array;
}

/** See the module head. One for one domain. */
export class RoundWorkspace {
  readonly aligner = new Aligner();
  readonly absurd = new AbsurdFits();
  readonly hostVerdicts = new HostVerdicts();
  readonly asymmetry = new AsymmetryWatch();
  #mesh: MeshRows | undefined;
  #offsets: Sketched | undefined;
  #freqs: Sketched | undefined;
  #paths: PathFinder | undefined;
  #solved: Solved | undefined;
  #court: EdgeCourt | undefined;
  #courtVersion = -1;
  #courtPlaces = new Int32Array(0);
  #startNs = new Float64Array(0);
  #startPpb = new Float64Array(0);

  /** Makes everything fit the mesh that the aligner has just found. */
  prepare(): void {
    const mesh = this.aligner.mesh!;
    const before = this.#mesh;
    if (mesh === before) return;
    this.#mesh = mesh;
    const { graph, incidence } = mesh;
    const offsets = new NetworkSolver(graph, 0, incidence);
    const freqs = new NetworkSolver(graph, 0, incidence, offsets);
    const placeOf = before && placesIn(before, mesh);
    this.#offsets = inherit(this.#offsets, offsets, placeOf);
    this.#freqs = inherit(this.#freqs, freqs, placeOf);
    this.#paths = new PathFinder(graph, incidence);
    this.#court = undefined;
    this.#startNs = new Float64Array(graph.hostCount);
    this.#startPpb = new Float64Array(graph.hostCount);
  }

  get mesh(): MeshRows {
    return this.#mesh!;
  }
  get offsets(): NetworkSolver {
    return this.#offsets!.solver;
  }
  get freqs(): NetworkSolver {
    return this.#freqs!.solver;
  }
  get paths(): PathFinder {
    return this.#paths!;
  }

  /** Where a court keeps the cases of this round's edges. */
  courtPlaces(court: EdgeCourt): Int32Array {
    if (this.#court === court && this.#courtVersion === court.version) return this.#courtPlaces;
    const { hosts, graph } = this.mesh;
    this.#courtPlaces = graph.from.map((from, e) =>
      court.placeOf(pairKey(hosts[from], hosts[graph.to[e]])),
    );
    this.#court = court;
    this.#courtVersion = court.version;
    return this.#courtPlaces;
  }

  /** Where the last solution expects the hosts to be now, as the solvers count; or undefined. */
  expected(
    aligned: Alignment,
    atRefRawNs: bigint,
  ): { offsetNs: Float64Array; logFreqPpb: Float64Array } | undefined {
    const last = this.#solved;
    const { mesh } = this;
    if (!last || last.mesh.reference !== mesh.reference) return undefined;
    const elapsedNs = Number(atRefRawNs - last.atRefRawNs);
    const places = last.mesh === mesh ? undefined : placesIn(last.mesh, mesh);
    for (let row = 0; row < mesh.hosts.length; row++) {
      const before = places ? places[row] : row;
      this.#startNs[row] = Number.NaN;
      this.#startPpb[row] = before < 0 ? Number.NaN : last.logFreqPpb[before];
      if (before < 0) continue;
      const freqPpb = fromLogPpb(last.logFreqPpb[before]);
      const apartNs = Number(last.baseRawNs[before] - aligned.baseRawNs[row]) + elapsedNs;
      const goneNs = elapsedNs * 1e-9 * freqPpb;
      const startNs = apartNs + last.restNs[before] + goneNs - aligned.restNs[row];
      if (Math.abs(startNs) <= START_NS_MAX) this.#startNs[row] = startNs;
    }
    return { offsetNs: this.#startNs, logFreqPpb: this.#startPpb };
  }

  /** Remembers what this round found. */
  remember(
    aligned: Alignment,
    atRefRawNs: bigint,
    offsets: NetworkSolution,
    freqs: NetworkSolution,
  ): void {
    this.#solved = {
      mesh: this.mesh,
      atRefRawNs,
      baseRawNs: aligned.baseRawNs,
      restNs: aligned.restNs.map((rest, row) => rest + offsets.xNs[row]),
      logFreqPpb: freqs.xNs.slice(),
    };
  }

  /** Counts a round, and sketches within it what nobody has sketched between the rounds. */
  endSolve(): void {
    for (const each of [this.#offsets!, this.#freqs!]) {
      each.age++;
      each.sketchAge++;
      if (each.age <= SKETCH_ROUNDS_MAX) continue;
      each.solver.resistances.refresh();
      each.age = 0;
    }
  }

  /**
   * Sketches a little of what sigma hangs on: call it when there is time, some tens of times a
   * second. One call costs about as much as two steps of a round's solve.
   */
  idle(): void {
    for (const each of [this.#offsets, this.#freqs]) {
      if (each && this.#advance(each)) return;
    }
  }

  /** False when there was nothing to do. */
  #advance(each: Sketched): boolean {
    if (!each.sketch) {
      if (each.solver.resistances.isExact) return false;
      const due = each.age >= SKETCH_ROUNDS || (each.age > 0 && !each.solver.resistances.isCurrent);
      if (!due) return false;
      each.sketch = each.solver.resistances.newSketch();
      each.sketchMesh = this.mesh;
      each.sketchAge = 0;
      return true;
    }
    if (!each.sketch.advance(1)) return true;
    const places =
      each.sketchMesh === this.mesh ? undefined : placesIn(each.sketchMesh!, this.mesh);
    each.solver.resistances.take(each.sketch, places);
    each.age = each.sketchAge;
    each.sketch = undefined;
    each.sketchMesh = undefined;
    return true;
  }
}

/** A new mesh's solver takes what sketches told of the hosts that both know. */
function inherit(
  before: Sketched | undefined,
  solver: NetworkSolver,
  placeOf: Int32Array | undefined,
): Sketched {
  if (!before || !placeOf) {
    return { solver, sketch: undefined, sketchMesh: undefined, age: Infinity, sketchAge: 0 };
  }
  solver.resistances.take(before.solver.resistances, placeOf);
  before.solver = solver;
  return before;
}

/** Row in `before` of each row of `now`; -1: not there. */
function placesIn(before: MeshRows, now: MeshRows): Int32Array {
  return Int32Array.from(now.hosts, (host) => before.rowOf.get(host) ?? -1);
}
