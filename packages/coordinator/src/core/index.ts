export { DomainCore } from "./domain.ts";
export type { DomainOptions } from "./domain-options.ts";
export type { EdgeView } from "./edge-verdicts.ts";
export { FitBook, type MeshFit } from "./fits.ts";
export { type Fix, type Host, newHost, type Track } from "./host.ts";
export {
  LEASE_MS,
  type LeaseAction,
  type LeaseAnswer,
  type LeaseCall,
  LeaseCore,
  type LeaseOptions,
  type LeaseView,
} from "./lease.ts";
export {
  type DomainMemory,
  memoryFromText,
  memoryToText,
  type RememberedHost,
} from "./memory.ts";
export { pairKey } from "./mesh.ts";
export { MINIMUM_HOSTS } from "./notices.ts";
export type { Action } from "./outbox.ts";
export { RoundWorkspace } from "./round-workspace.ts";
export {
  ROUND_PARTS,
  type RoundPart,
  type RoundResult,
  type SolveOptions,
  solveRound,
} from "./solve.ts";
