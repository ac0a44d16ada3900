export { type BoundInput, boundAround, type PathBounds, pathBounds } from "./bounds.ts";
export { Carry, type ForeignBreak, type SystemInstant, type Triples } from "./carry.ts";
export {
  type CarryError,
  type DistrustedFit,
  type EdgeFitResult,
  type EdgeWindow,
  fitEdge,
  type TrustedFit,
} from "./edge-fit.ts";
export {
  type FilterEstimate,
  type FilterUpdate,
  HostFilter,
  type HostFilterOptions,
} from "./host-filter.ts";
export { type NetworkInput, type NetworkSolution, solveNetwork } from "./network.ts";
export { newSelection, type ProbeColumns, type PureSelection, selectPure } from "./pairs.ts";
