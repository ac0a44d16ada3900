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

/** Sizes of the settled errors (ns) over `count` meshes, and rows outside their bound. */
export function meshSweep(
  { hosts, neighbours, asymmetry }: SweepMesh,
  firstSeed: number,
  count: number,
): { sizesNs: number[]; rowCount: number; outsideBound: number } {
  const sizesNs: number[] = [];
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
    ours.errorNs.forEach((error, i) => {
      if (!Number.isFinite(error)) return;
      rowCount++;
      if (Math.abs(error) > ours.boundNs[i]) outsideBound++;
    });
  }
  return { sizesNs, rowCount, outsideBound };
}
