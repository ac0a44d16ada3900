export { DomainCore, type DomainOptions, MINIMUM_HOSTS } from "./domain.ts";
export type { EdgeView } from "./edge-verdicts.ts";
export { FitBook, type MeshFit } from "./fits.ts";
export { type Fix, type Host, newHost, type Track } from "./host.ts";
export { pairKey } from "./mesh.ts";
export type { Action } from "./outbox.ts";
export { RoundWorkspace } from "./round-workspace.ts";
export {
  ROUND_PARTS,
  type RoundPart,
  type RoundResult,
  type SolveOptions,
  solveRound,
} from "./solve.ts";
