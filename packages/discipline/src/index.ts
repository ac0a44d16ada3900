export {
  bentNs,
  DOMAIN_FREQ_RATE_PPB_PER_S,
  defaultHoldoverOptions,
  grownBoundNs,
  grownSigmaNs,
  type HoldoverOptions,
} from "./bound.ts";
export {
  type ClockFacts,
  type ClockState,
  FRESH_CORRECTION_S,
  judge,
  LOCK_ROUNDS,
  lockLimitNs,
  type Verdict,
} from "./clock-state.ts";
export { type DomainInstant, DomainLine, type DomainSegment } from "./domain-line.ts";
export { differenceNs, type GuardResult, guardCorrection, type Proposal } from "./guard.ts";
export {
  defaultServoOptions,
  KERNEL_FREQ_LIMIT_PPB,
  Servo,
  type ServoInput,
  type ServoOptions,
  type ServoOutput,
} from "./servo.ts";
