export {
  type BoundInput,
  boundAround,
  type PathBounds,
  pathBounds,
  widenWhereExcluded,
} from "./bounds.ts";
export { Carry } from "./carry.ts";
export type { Triples } from "./carry-growth.ts";
export type { SystemInstant } from "./carry-stamps.ts";
export type { ForeignBreak } from "./carry-suspicion.ts";
export { EdgeBias } from "./edge-bias.ts";
export type { BiasInput } from "./edge-bias-memory.ts";
export type { BiasVerdict } from "./edge-bias-verdict.ts";
export { allowedExclusions, EdgeCourt, type EdgeStanding } from "./edge-court.ts";
export {
  type CarryError,
  type DistrustedFit,
  type EdgeFitResult,
  type EdgeWindow,
  type FitMethod,
  fitEdge,
  type TrustedFit,
} from "./edge-fit.ts";
export { EdgeTracker } from "./edge-tracker.ts";
export type { ResistanceSketch } from "./effective-resistance.ts";
export { type Graph, type Incidence, incidenceOf } from "./graph.ts";
export {
  type FilterEstimate,
  type FilterUpdate,
  HostFilter,
  type HostFilterOptions,
} from "./host-filter.ts";
export { IntervalBallot, type IntervalVote } from "./interval-vote.ts";
export { keepClear } from "./long-path.ts";
export { NetworkSolver, solveNetwork } from "./network.ts";
export type {
  EdgeColumns,
  NetworkInput,
  NetworkOptions,
  NetworkSolution,
} from "./network-columns.ts";
export { newSelection, type ProbeColumns, type PureSelection, selectPure } from "./pairs.ts";
export { medianOf } from "./quantile.ts";
export { PathFinder } from "./shortest-path.ts";
export type { PlacedWindow } from "./window-line.ts";
