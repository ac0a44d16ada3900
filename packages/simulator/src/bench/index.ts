/** What `ttcs bench accuracy` uses. */
export { type Anchor, type Anchors, anchors } from "./anchors.ts";
export { meshSweep, type SweepFigures, type SweepMesh, sweepMeshes } from "./meshes.ts";
export { PaperTwin } from "./paper-twin.ts";
export { type Contestant, runWorld, type SeedRun, type World } from "./run.ts";
export {
  type Coverage,
  CURVE_STEP,
  coverageOf,
  type Judged,
  quantileOf,
  SETTLED_S,
  type Spread,
  sizesOf,
  spreadOf,
} from "./score.ts";
export { type AheadOfTruth, WindowPicture, type WindowShot } from "./window-shot.ts";
export { type BenchWorld, benchWorlds, makeWorld } from "./worlds.ts";
