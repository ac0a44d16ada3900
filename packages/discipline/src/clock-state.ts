/**
 * The state of a host's clock: one word, a reason, and what to do.
 *
 * A pure function of what is known now and of whether the clock was LOCKED before. The order of the
 * questions is the order of urgency: a refusal outweighs a missing correction, a missing correction
 * outweighs an offset.
 */

/** The words that CLI, console, log and metrics share. */
export type ClockState = "ACQUIRING" | "LOCKED" | "HOLDOVER" | "FREERUN" | "DISRUPTED" | "REFUSED";

/** A state with its explanation. */
export interface Verdict {
  readonly state: ClockState;
  /** Why, in words. */
  readonly reason: string;
  /** What the operator can do; empty when there is nothing to do. */
  readonly advice: string;
}

/** What the verdict is made of. */
export interface ClockFacts {
  /** Set by the coordinator or by the guard: why this host must not be steered, and what to do. */
  readonly refusal?: string;
  readonly refusalAdvice?: string;
  /** Set while the coordinator has nothing to steer by: its reason. */
  readonly held?: string;
  /** Set after another hand was on the clock: what it did. */
  readonly disruption?: string;
  readonly disruptionAdvice?: string;
  /** What another hand goes on adding to the clock's rate (ppb); absent: nobody does. */
  readonly foreignPpb?: number;
  readonly connected: boolean;
  readonly coordinatorAddress: string;
  /** Set while there are too few hosts. */
  readonly waiting?: { readonly haveHosts: number; readonly needHosts: number };
  /** Age of the newest correction, from the close of its window (s); absent: none yet. */
  readonly correctionAgeS?: number;
  /** For how long a correction is fresh, by its own word (s). */
  readonly freshForS: number;
  /** Trusted rounds in a row, newest last. */
  readonly trustedRounds: number;
  /** Why the newest correction is not trusted, by the coordinator's word or by our own guard's. */
  readonly correctionReason: string;
  /** System minus domain (ns); absent while it cannot be read. */
  readonly offsetNs?: number;
  readonly sigmaNs: number;
  readonly boundNs: number;
  /** True for hosts whose clock is written: only there the offset must be small. */
  readonly steered: boolean;
  /** True when the last verdict was LOCKED: entering asks for more than staying. */
  readonly locked: boolean;
  /** For how long the system clock could not be read (s). */
  readonly blindForS: number;
  /** For how long the offset has been within half of LOCKED's limit without a break (s). */
  readonly closeForS: number;
}

/** LOCKED needs this many trusted rounds in a row. */
export const LOCK_ROUNDS = 3;
/** A correction older than this is not fresh, whatever it says of itself (s). */
export const FRESH_CORRECTION_S = 2;
/** LOCKED needs the clock within this of domain time, or within LOCK_SIGMAS (ns). */
export const LOCK_OFFSET_NS = 500;
export const LOCK_SIGMAS = 4;
/** Entering takes this long within half the limit (s): a clock that rushes past is not LOCKED. */
export const ENTER_AFTER_S = 0.4;
/** A LOCKED clock that cannot be read for this long is not LOCKED any more (s). */
const BLIND_S = 0.5;
/** In holdover, a bound beyond this says no more than the crystal alone does (ns). */
export const HOLDOVER_BOUND_LIMIT_NS = 1_000_000;

/** What to do about another hand. */
const FOREIGN_ADVICE =
  "stop the other program that writes the clock: chronyd, ntpd, systemd-timesyncd, ptp4l or phc2sys";

/** How far a LOCKED clock may be from domain time (ns). */
export const lockLimitNs = (sigmaNs: number): number =>
  Math.max(LOCK_OFFSET_NS, LOCK_SIGMAS * sigmaNs);

/** The state that these facts amount to. */
export function judge(facts: ClockFacts): Verdict {
  if (facts.refusal !== undefined) {
    const advice = facts.refusalAdvice ?? "see the agent's log; the clock is left as it is";
    return verdict("REFUSED", facts.refusal, advice);
  }
  if (facts.disruption !== undefined) {
    return verdict("DISRUPTED", facts.disruption, facts.disruptionAdvice ?? FOREIGN_ADVICE);
  }
  if (facts.correctionAgeS === undefined) return beforeFirstCorrection(facts);
  if (facts.held !== undefined) return withoutCorrections(facts);
  if (facts.correctionAgeS >= Math.min(facts.freshForS, FRESH_CORRECTION_S))
    return withoutCorrections(facts);
  return withCorrections(facts);
}

function beforeFirstCorrection(facts: ClockFacts): Verdict {
  if (!facts.connected) {
    const reason = `no connection to the coordinator at ${facts.coordinatorAddress}`;
    return verdict("ACQUIRING", reason, "check coordinator_address, the port and the firewall");
  }
  if (facts.waiting) {
    const { haveHosts, needHosts } = facts.waiting;
    const reason = `waiting: ${haveHosts} of ${needHosts} hosts`;
    return verdict("ACQUIRING", reason, "start agents on more hosts; clocks stay untouched");
  }
  return verdict("ACQUIRING", "measuring the neighbours", "");
}

function withoutCorrections(facts: ClockFacts): Verdict {
  const age = (facts.correctionAgeS ?? 0).toFixed(1);
  const why = whyNoCorrections(facts);
  if (facts.boundNs > HOLDOVER_BOUND_LIMIT_NS) {
    const reason = `no good correction for ${age} s (${why}); the bound has grown past 1 ms`;
    return verdict("FREERUN", reason, "bring the coordinator back");
  }
  const reason = `no good correction for ${age} s (${why}); holding the last frequency`;
  return verdict("HOLDOVER", reason, facts.connected ? "" : "check that the server runs");
}

function whyNoCorrections(facts: ClockFacts): string {
  if (facts.held !== undefined) return facts.held;
  if (!facts.connected) return `no connection to ${facts.coordinatorAddress}`;
  if (facts.waiting) {
    return `waiting: ${facts.waiting.haveHosts} of ${facts.waiting.needHosts} hosts`;
  }
  return facts.correctionReason || "the coordinator sends none";
}

function withCorrections(facts: ClockFacts): Verdict {
  if (facts.trustedRounds < LOCK_ROUNDS) {
    const why = facts.correctionReason || "collecting rounds";
    return verdict(
      "ACQUIRING",
      `${facts.trustedRounds} of ${LOCK_ROUNDS} rounds trusted: ${why}`,
      "",
    );
  }
  if (!facts.steered) return verdict("LOCKED", "", "");
  if (facts.offsetNs === undefined) {
    // No bound is claimed meanwhile; a late batch alone must not make the state flap.
    if (facts.locked && facts.blindForS < BLIND_S) return verdict("LOCKED", "", "");
    return verdict("ACQUIRING", "reading the system clock", "");
  }
  const limitNs = lockLimitNs(facts.sigmaNs);
  if (facts.locked ? Math.abs(facts.offsetNs) <= limitNs : facts.closeForS >= ENTER_AFTER_S) {
    if (facts.foreignPpb === undefined) return verdict("LOCKED", "", "");
    const ppm = (facts.foreignPpb / 1000).toFixed(1);
    return verdict("LOCKED", `held against another hand that adds ${ppm} ppm`, FOREIGN_ADVICE);
  }
  const reason = `${Math.round(facts.offsetNs)} ns from domain time, slewing to ${Math.round(limitNs)} ns`;
  return verdict("ACQUIRING", reason, "");
}

function verdict(state: ClockState, reason: string, advice: string): Verdict {
  return { state, reason, advice };
}
