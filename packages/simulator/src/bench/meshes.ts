/**
 * S6 over many drawn meshes: what an asymmetry of every link leaves, by hosts and neighbours.
 *
 * A link's asymmetry is fixed, so a longer recording of the same mesh tells nothing new of it; short
 * ones of many meshes do. Few pairs suffice: errors of some ns beside those of microseconds.
 */
import { Trace, type TraceOptions } from "../traces/trace.ts";
import { runWorld } from "./run.ts";
import { sizesOf } from "./score.ts";

/** One kind of mesh. */
export interface SweepMesh {
  readonly hosts: number;
  readonly neighbours: number;
  readonly asymmetry: "one" | "each";
  /** p99 against the best chrony over one path that is asked for; none without. */
  readonly chronyGoal?: number;
}

/** Length of a recording: the settling time and some rounds more (s). */
const SECONDS = 20;
const PAIRS_PER_SECOND = 20;

/** The sweep: ten hosts, and twenty with ever more neighbours. */
export const sweepMeshes: readonly SweepMesh[] = [
  { hosts: 10, neighbours: 9, asymmetry: "one", chronyGoal: 0.7 },
  { hosts: 20, neighbours: 3, asymmetry: "one" },
  { hosts: 20, neighbours: 5, asymmetry: "one" },
  { hosts: 20, neighbours: 10, asymmetry: "one" },
  { hosts: 20, neighbours: 19, asymmetry: "one", chronyGoal: 0.5 },
  { hosts: 10, neighbours: 9, asymmetry: "each" },
];

/** What a handful of meshes came to. */
export interface SweepFigures {
  /** Sizes of the settled errors (ns). */
  readonly sizesNs: number[];
  /** Error of each host's last row, in its own sigmas, unsigned: one of each host and mesh. */
  readonly offSigmas: number[];
  readonly rowCount: number;
  readonly outsideBound: number;
}

/** Draws `count` meshes of a kind. */
export function meshSweep(
  { hosts, neighbours, asymmetry }: SweepMesh,
  firstSeed: number,
  count: number,
): SweepFigures {
  const sizesNs: number[] = [];
  const offSigmas: number[] = [];
  let rowCount = 0;
  let outsideBound = 0;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const options: TraceOptions = {
      seed,
      scenario: "S6",
      hosts,
      neighbours,
      asymmetry,
      seconds: SECONDS,
      pairsPerSecond: PAIRS_PER_SECOND,
    };
    const trace = new Trace(options);
    const { errors } = runWorld(
      {
        plan: trace.plan,
        zeros: trace.zeros,
        floorNs: (from, to) => trace.floorNs(from, to),
        run: (row, truth, probe) => trace.run(row, truth, probe),
      },
      { contestants: ["ours"] },
    );
    const ours = errors.ours!;
    sizesNs.push(...sizesOf([ours]));
    const last = new Map<number, number>();
    ours.errorNs.forEach((error, i) => {
      if (!Number.isFinite(error)) return;
      rowCount++;
      last.set(ours.host[i], Math.abs(error) / ours.sigmaNs[i]);
      if (Math.abs(error) > ours.boundNs[i]) outsideBound++;
    });
    offSigmas.push(...last.values());
  }
  return { sizesNs, offSigmas, rowCount, outsideBound };
}
