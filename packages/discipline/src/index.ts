export { Ledger, type LedgerState } from "./accumulated.ts";
export {
  type AnchorSample,
  type AnchorVerdict,
  compareWithAnchors,
  median,
  vouchedBasePpb,
} from "./anchor-check.ts";
export {
  BOUND_SIGMAS,
  bentNs,
  DOMAIN_FREQ_RATE_PPB_PER_S,
  defaultHoldoverOptions,
  FAR_FREQ_RATE_PPB_PER_S,
  FAR_PULL_LIMIT_PPB,
  FAR_PULL_SILENCE_S,
  FOLLOWING_FREQ_RATE_PPB_PER_S,
  followingBentNs,
  grownBoundNs,
  grownSigmaNs,
  SILENT_AFTER_S,
} from "./bound.ts";
export {
  type ClockFacts,
  FRESH_CORRECTION_S,
  judge,
  LOCK_ROUNDS,
  lockLimitNs,
  type Verdict,
} from "./clock-state.ts";
export { Confirmation, isConfirmed, type ProposedLine } from "./confirmation.ts";
export { DomainLine, type DomainSegment } from "./domain-line.ts";
export { guardCorrection, type Proposal } from "./guard.ts";
export {
  ACCUMULATED_LIMIT_NS,
  jumpLimitNs,
  LOCKED_SLEW_PPB,
  RATE_LIMIT_PPB,
  STEP_THRESHOLD_NS,
  unheardOfNs,
} from "./limits.ts";
export { KERNEL_FREQ_LIMIT_PPB, Servo } from "./servo.ts";
