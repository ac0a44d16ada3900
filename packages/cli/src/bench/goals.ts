/** Which of the project's goals for accuracy hold, by the figures at hand. */
import { anchors, type Spread } from "@ttcs/simulator";
import { bestPaper, type MeshResult, ratioOf, type WorldResult } from "./results.ts";

/** One goal in one world. */
export interface Goal {
  /** Which group of goals: paper, chrony, oracle, coverage, second generator. */
  readonly group: "paper" | "chrony" | "oracle" | "coverage" | "second";
  readonly world: string;
  /** "0.12 (goal 0.15)". */
  readonly text: string;
  readonly holds: boolean;
}

/** Against the oracle, p99. */
const ORACLE_RATIO_MAX = 2;
/** Shares within 1, 2 and 3 sigma, and how far the first two may be off. */
const SHARE_1 = 0.68;
const SHARE_2 = 0.95;
const SLACK_1 = 0.04;
const SLACK_2 = 0.02;
const SHARE_3_MIN = 0.993;
/** With fewer windows shares scatter by more than what they may be off. */
const WINDOWS_MIN = 1_000;

/** The best chrony over one asymmetric path. */
export const CHRONY_S6 = anchors.S6!.chrony;

/** All goals that the results can judge. */
export function goalsOf(worlds: readonly WorldResult[], meshes: readonly MeshResult[]): Goal[] {
  return [...worlds.flatMap(goalsOfWorld), ...meshes.flatMap(goalsOfMesh)];
}

function goalsOfWorld(result: WorldResult): Goal[] {
  const { world, spreads, anchors, coverage } = result;
  const { name } = world;
  const isSecond = typeof world.scenario !== "string";
  const goals: Goal[] = [];
  const atMost = (group: Goal["group"], against: string, ratio: number, goal: number) => {
    const text = `${ratioText(ratio)} x ${against} (goal ${goal})`;
    goals.push({ group, world: name, text, holds: ratio <= goal });
  };
  if (world.paperGoal !== undefined) {
    const ratio = ratioOf(spreads.ours, bestPaper(result));
    atMost(isSecond ? "second" : "paper", "paper", ratio, world.paperGoal);
  }
  if (world.chronyGoal !== undefined && anchors) {
    atMost("chrony", anchors.chrony.name, ratioOf(spreads.ours, anchors.chrony), world.chronyGoal);
  }
  // Nobody sees an asymmetry that no probe tells, an oracle that does not know it least of all.
  const oracle: Spread | undefined = world.asymmetric ? spreads.blind : spreads.oracle;
  if (oracle) {
    const what = world.asymmetric ? "the oracle without asymmetry" : "the oracle";
    atMost(isSecond ? "second" : "oracle", what, ratioOf(spreads.ours, oracle), ORACLE_RATIO_MAX);
  }
  const { rowCount, outsideBound, windowCount } = coverage;
  // The asymmetry of one mesh is the same in all its windows: `goalsOfMesh` judges that of many.
  const judged = windowCount >= WINDOWS_MIN && (world.aboutMean || !world.asymmetric);
  if (judged) goals.push(sigmaGoal(name, coverage));
  goals.push({
    group: "coverage",
    world: name,
    text: `${outsideBound} of ${rowCount} rows outside the bound (goal 0)`,
    holds: outsideBound === 0 && rowCount > 0,
  });
  return goals;
}

function sigmaGoal(world: string, coverage: MeshResult["sigma"]): Goal {
  const { within1, within2, within3, windowCount } = coverage;
  const shares = [within1, within2, within3].map((share) => (100 * share).toFixed(1)).join("/");
  return {
    group: "coverage",
    world,
    text: `sigma ${shares} of ${windowCount} (goal 68/95/99.3)`,
    holds:
      Math.abs(within1 - SHARE_1) <= SLACK_1 &&
      Math.abs(within2 - SHARE_2) <= SLACK_2 &&
      within3 >= SHARE_3_MIN,
  };
}

function goalsOfMesh(result: MeshResult): Goal[] {
  const { mesh, spread, sigma, outsideBound, rowCount } = result;
  const world = meshName(result);
  const goals: Goal[] = [
    {
      group: "coverage",
      world,
      text: `${outsideBound} of ${rowCount} rows outside the bound (goal 0)`,
      holds: outsideBound === 0 && rowCount > 0,
    },
  ];
  if (sigma.windowCount >= WINDOWS_MIN) goals.push(sigmaGoal(world, sigma));
  if (mesh.chronyGoal === undefined) return goals;
  const ratio = ratioOf(spread, CHRONY_S6);
  const text = `${ratioText(ratio)} x chrony (goal ${mesh.chronyGoal})`;
  return [{ group: "chrony", world, text, holds: ratio <= mesh.chronyGoal }, ...goals];
}

/** Name of a kind of mesh. */
export const meshName = ({ mesh }: MeshResult): string =>
  `S6${mesh.asymmetry === "each" ? "-each" : ""}, ${mesh.hosts} hosts, K = ${mesh.neighbours}`;

/** A ratio as text. */
export const ratioText = (ratio: number): string =>
  Number.isNaN(ratio) ? "-" : ratio < 0.0995 ? ratio.toFixed(3) : ratio.toFixed(2);
