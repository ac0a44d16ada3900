/** One piece of the bench's work: a recording, or a handful of meshes; done in a worker thread. */
import {
  benchWorlds,
  type Contestant,
  type Judged,
  makeWorld,
  meshSweep,
  runWorld,
  type SweepFigures,
  type SweepMesh,
  type WindowShot,
} from "@ttcs/simulator";

/** A recording of a world. */
export interface WorldJob {
  readonly kind: "world";
  readonly world: string;
  readonly seed: number;
  readonly seconds: number;
  readonly hosts: number | undefined;
  readonly contestants: readonly Contestant[];
  /** Instant whose window is drawn (s); none without. */
  readonly shotAtS: number | undefined;
}

/** Some meshes of the sweep. */
export interface MeshJob {
  readonly kind: "meshes";
  readonly mesh: SweepMesh;
  readonly firstSeed: number;
  readonly count: number;
}

/** What to do. */
export type Job = WorldJob | MeshJob;

/** What a recording came to, as plain data. */
export interface WorldDone {
  readonly kind: "world";
  readonly job: WorldJob;
  readonly errors: Partial<Record<Contestant, Judged>>;
  readonly costMs: Partial<Record<Contestant, number>>;
  readonly oracleShare: number;
  readonly degree: number;
  readonly hostIds: readonly string[];
  readonly shot: WindowShot | undefined;
}

/** What some meshes came to. */
export interface MeshDone extends SweepFigures {
  readonly kind: "meshes";
  readonly job: MeshJob;
}

/** Result of a job. */
export type Done = WorldDone | MeshDone;

/** Does a job. */
export function runJob(job: Job): Done {
  if (job.kind === "meshes") {
    return { kind: "meshes", job, ...meshSweep(job.mesh, job.firstSeed, job.count) };
  }
  const world = makeWorld(benchWorlds.find(({ name }) => name === job.world)!, job);
  const { contestants, shotAtS } = job;
  const run = runWorld(world, {
    contestants,
    nowMs: () => performance.now(),
    ...(shotAtS === undefined ? {} : { shotAtS }),
  });
  const errors = Object.fromEntries(
    Object.entries(run.errors).map(([name, { host, atS, sigmaNs, boundNs, errorNs }]) => [
      name,
      { host, atS, sigmaNs, boundNs, errorNs },
    ]),
  );
  const { costMs, oracleShare, degree, shot } = run;
  const hostIds = world.plan.hosts.map(({ id }) => id);
  return { kind: "world", job, errors, costMs, oracleShare, degree, hostIds, shot };
}
