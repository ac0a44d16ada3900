/** What the bench came to, world by world. */
import {
  type Anchors,
  anchors,
  type BenchWorld,
  type Contestant,
  type Coverage,
  coverageOf,
  type Judged,
  quantileOf,
  type Spread,
  type SweepMesh,
  sizesOf,
  spreadOf,
  type WindowShot,
} from "@ttcs/simulator";
import type { Done, MeshDone, WorldDone } from "./job.ts";

/** The oracle counts where nearly all windows had probes enough for it. */
const ORACLE_SHARE_MIN = 0.9;
/** Points of a picture of a distribution. */
const CURVE_POINTS = 120;

/** Errors of one host of the first recording, over time. */
export interface Course {
  readonly host: string;
  readonly atS: number[];
  readonly errorNs: Partial<Record<Contestant, number[]>>;
  readonly sigmaNs: number[];
}

/** One world. */
export interface WorldResult {
  readonly world: BenchWorld;
  readonly seeds: readonly number[];
  readonly seconds: number;
  readonly hosts: number;
  /** Edges of a host, in the mean; coded pairs are two packets on each, every second so often. */
  readonly degree: number;
  readonly packetsPerS: number;
  /** By contestant; the oracles where they are defined. */
  readonly spreads: Partial<Record<Contestant, Spread>>;
  readonly coverage: Coverage;
  readonly oracleShare: number;
  readonly anchors: Anchors | undefined;
  /** Sizes of the errors at evenly spaced shares (ns). */
  readonly curves: Partial<Record<Contestant, number[]>>;
  readonly course: Course | undefined;
  readonly shot: WindowShot | undefined;
  readonly costMs: Partial<Record<Contestant, number>>;
}

/** One kind of mesh of the sweep. */
export interface MeshResult {
  readonly mesh: SweepMesh;
  readonly meshCount: number;
  readonly spread: Spread;
  /** Errors judged for sigma, one of each host and mesh, and shares within 1, 2 and 3 sigma. */
  readonly sigma: Pick<Coverage, "windowCount" | "within1" | "within2" | "within3">;
  readonly rowCount: number;
  readonly outsideBound: number;
}

/** Sums up the recordings of a world; undefined when there is none. */
export function worldResult(world: BenchWorld, all: readonly Done[]): WorldResult | undefined {
  const runs = all.filter(
    (done): done is WorldDone => done.kind === "world" && done.job.world === world.name,
  );
  const [first] = runs;
  if (!first) return undefined;
  const oracleShare = runs.reduce((sum, run) => sum + run.oracleShare, 0) / runs.length;
  const spreads: WorldResult["spreads"] = {};
  const curves: WorldResult["curves"] = {};
  const costMs: WorldResult["costMs"] = {};
  for (const name of first.job.contestants) {
    const isOracle = name === "oracle" || name === "blind";
    if (isOracle && oracleShare < ORACLE_SHARE_MIN) continue;
    const sorted = sizesOf(runs.map((run) => run.errors[name]!));
    spreads[name] = spreadOf(sorted);
    curves[name] = curveOf(sorted);
    costMs[name] = runs.reduce((sum, run) => sum + (run.costMs[name] ?? 0), 0);
  }
  const ours = runs.map((run) => run.errors.ours!);
  return {
    world,
    seeds: runs.map(({ job }) => job.seed),
    seconds: first.job.seconds,
    hosts: first.hostIds.length,
    degree: first.degree,
    packetsPerS: 2 * world.pairsPerSecond * first.degree,
    spreads,
    coverage: coverageOf(ours, world.aboutMean),
    oracleShare,
    anchors: world.anchor ? anchors[world.anchor] : undefined,
    curves,
    course: courseOf(first),
    shot: first.shot,
    costMs,
  };
}

/** Sums up the meshes of one kind. */
export function meshResult(mesh: SweepMesh, all: readonly Done[]): MeshResult | undefined {
  const sameMesh = (other: SweepMesh) => JSON.stringify(other) === JSON.stringify(mesh);
  const runs = all.filter(
    (done): done is MeshDone => done.kind === "meshes" && sameMesh(done.job.mesh),
  );
  if (runs.length === 0) return undefined;
  const sum = (of: (run: MeshDone) => number) => runs.reduce((total, run) => total + of(run), 0);
  const offs = runs.flatMap((run) => run.offSigmas);
  const within = (limit: number) => offs.filter((off) => off <= limit).length / offs.length;
  return {
    mesh,
    meshCount: sum(({ job }) => job.count),
    spread: spreadOf(Float64Array.from(runs.flatMap((run) => run.sizesNs)).sort()),
    sigma: {
      windowCount: offs.length,
      within1: within(1),
      within2: within(2),
      within3: within(3),
    },
    rowCount: sum((run) => run.rowCount),
    outsideBound: sum((run) => run.outsideBound),
  };
}

/** `of` against `against`, of p99; NaN where one is missing. */
export const ratioOf = (of: Spread | undefined, against: { p99Ns: number } | undefined): number =>
  of && against && of.count > 0 ? of.p99Ns / against.p99Ns : Number.NaN;

/** The paper's method behind the pair filter that serves it better here. */
export function bestPaper({ spreads: { paper, paperWide } }: WorldResult): Spread | undefined {
  if (!paper?.count || !paperWide?.count) return paper?.count ? paper : paperWide;
  return paperWide.p99Ns < paper.p99Ns ? paperWide : paper;
}

function curveOf(sorted: Float64Array): number[] {
  return Array.from({ length: CURVE_POINTS }, (_, i) =>
    quantileOf(sorted, (i + 0.5) / CURVE_POINTS),
  );
}

/** The first host that everybody has estimates of. */
function courseOf(run: WorldDone): Course | undefined {
  const host = run.errors.ours?.host[0];
  if (host === undefined) return undefined;
  const pick = (judged: Judged, column: "atS" | "errorNs" | "sigmaNs") =>
    judged[column].filter((_, i) => judged.host[i] === host);
  const ours = run.errors.ours!;
  const atS = pick(ours, "atS");
  const errorNs: Course["errorNs"] = {};
  for (const [name, judged] of Object.entries(run.errors) as [Contestant, Judged][]) {
    const byS = new Map<string, number>();
    const errors = pick(judged, "errorNs");
    pick(judged, "atS").forEach((s, i) => {
      byS.set(s.toFixed(2), errors[i]);
    });
    errorNs[name] = atS.map((s) => byS.get(s.toFixed(2)) ?? Number.NaN);
  }
  return { host: run.hostIds[host], atS, errorNs, sigmaNs: pick(ours, "sigmaNs") };
}
