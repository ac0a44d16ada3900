export { type BoundInput, boundAround, type PathBounds, pathBounds } from "./bounds.ts";
export { Carry, type ForeignBreak, type SystemInstant, type Triples } from "./carry.ts";
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
export {
  type FilterEstimate,
  type FilterUpdate,
  HostFilter,
  type HostFilterOptions,
} from "./host-filter.ts";
export {
  type NetworkInput,
  type NetworkOptions,
  type NetworkSolution,
  solveNetwork,
} from "./network.ts";
export { newSelection, type ProbeColumns, type PureSelection, selectPure } from "./pairs.ts";
export type { Graph } from "./shortest-path.ts";
