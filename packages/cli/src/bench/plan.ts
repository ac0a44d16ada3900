/** Which recordings the bench makes. */
import { type BenchWorld, benchWorlds, type Contestant, sweepMeshes } from "@ttcs/simulator";
import type { Job } from "./job.ts";

/** What the command line wants. */
export interface BenchPlan {
  readonly worlds: readonly BenchWorld[];
  readonly withMeshes: boolean;
  readonly seeds: number;
  readonly firstSeed: number;
  readonly seconds: number;
  readonly hosts: number | undefined;
  readonly meshCount: number;
  readonly quick: boolean;
}

/** Name of the sweep over drawn meshes, beside the worlds' names. */
export const MESHES = "meshes";
/** All names that --scenario takes. */
export const scenarioNames: readonly string[] = [...benchWorlds.map(({ name }) => name), MESHES];

const FULL = { seeds: 5, seconds: 60, meshCount: 200 };
const QUICK = { seeds: 2, seconds: 30, meshCount: 20 };
/** Hosts of the quick table. */
const QUICK_HOSTS = 6;
/** Meshes of one job. */
const MESHES_AT_ONCE = 5;
/** A window of settled estimates is drawn (s). */
const SHOT_AT_S = 16;

/** Completes the command line's wishes. */
export function planBench(wanted: {
  readonly scenario?: readonly string[];
  readonly seeds?: number;
  readonly firstSeed: number;
  readonly seconds?: number;
  readonly hosts?: number;
  readonly quick?: boolean;
}): BenchPlan {
  const { scenario, quick = false, firstSeed } = wanted;
  const usual = quick ? QUICK : FULL;
  const isWanted = (world: BenchWorld) =>
    scenario ? scenario.includes(world.name) : !quick || world.quick;
  return {
    worlds: benchWorlds.filter(isWanted),
    withMeshes: scenario ? scenario.includes(MESHES) : true,
    seeds: wanted.seeds ?? usual.seeds,
    firstSeed,
    seconds: wanted.seconds ?? usual.seconds,
    hosts: wanted.hosts ?? (quick ? QUICK_HOSTS : undefined),
    meshCount: usual.meshCount,
    quick,
  };
}

/** The jobs, the longest first, so that no core waits for the last one. */
export function jobsOf(plan: BenchPlan): Job[] {
  const { worlds, seeds, firstSeed, seconds, hosts, meshCount, quick } = plan;
  const jobs: Job[] = [];
  if (plan.withMeshes) {
    // Ten hosts are enough for a glance.
    const meshes = quick ? sweepMeshes.slice(0, 1) : sweepMeshes;
    for (const mesh of [...meshes].reverse()) {
      for (let done = 0; done < meshCount; done += MESHES_AT_ONCE) {
        const count = Math.min(MESHES_AT_ONCE, meshCount - done);
        jobs.push({ kind: "meshes", mesh, firstSeed: firstSeed + done, count });
      }
    }
  }
  for (const world of [...worlds].sort((a, b) => b.pairsPerSecond - a.pairsPerSecond)) {
    const contestants: Contestant[] = ["ours", "paper", "paperWide", "oracle"];
    if (world.asymmetric) contestants.push("blind");
    for (let i = 0; i < seeds; i++) {
      jobs.push({
        kind: "world",
        world: world.name,
        seed: firstSeed + i,
        seconds,
        hosts,
        contestants,
        shotAtS: i === 0 ? SHOT_AT_S : undefined,
      });
    }
  }
  return jobs;
}
