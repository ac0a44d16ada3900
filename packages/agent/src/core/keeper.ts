/**
 * Keeps one clock: takes corrections, steers, and says how far the clock may be off.
 *
 * Estimation and control meet here and nowhere else: the line comes in from the coordinator, the
 * reading of the system clock from the carry, and a frequency setting goes out once a second.
 */
import {
  bentNs,
  type ClockFacts,
  type DomainLine,
  type DomainSegment,
  FAR_PULL_LIMIT_PPB,
  FRESH_CORRECTION_S,
  grownBoundNs,
  grownSigmaNs,
  guardCorrection,
  judge,
  KERNEL_FREQ_LIMIT_PPB,
  LOCK_ROUNDS,
  lockLimitNs,
  Servo,
  type Verdict,
} from "@ttcs/discipline";
import type { Correction, Header, Waiting } from "@ttcs/protocol";
import {
  addNs,
  diffNs,
  type RawNanos,
  ROUND_NS,
  rawNanos,
  SECOND_NS,
  unixNanos,
  WINDOW_NS,
} from "@ttcs/units";
import type { Carrier } from "./carrier.ts";

/** A setting is written this often, on the arrival of a correction (ns) ... */
const WRITE_EVERY_NS = 0.9 * SECOND_NS;
/** ... or without one when this much has passed (ns): holdover goes on steering to the last line. */
const WRITE_AT_LATEST_NS = 1.25 * SECOND_NS;

/** What a daemon that steers the clock may have changed since the last batch (ns): 2 ppm for 50 ms. */
const DAEMON_UNSEEN_NS = 100;
/** After a large write of our own the clock cannot be read for up to this; an offset stands in (ns). */
const BLIND_NS = 100_000_000;

/** A round may be missed; after a longer silence, trust is counted from the start. */
const ROUND_GAP_MAX = 2n;
/** Domain time runs within this of UTC's pace: the largest pull, and as much for what is not known (ppb). */
const DOMAIN_PACE_PPB = 2 * FAR_PULL_LIMIT_PPB;
/** Corrections come every half second, some 0.15 s after the close: one this old has no successor (s). */
const MISSED_S = 1;
/** The last announced rate of domain time holds for a round at least (s). */
const ANNOUNCED_S = ROUND_NS / SECOND_NS;

/** A reading of system minus domain (ns). */
interface Offset {
  readonly rawNs: RawNanos;
  readonly ns: number;
  readonly sigmaNs: number;
  readonly boundNs: number;
}

/** What never changes about the host. */
export interface KeeperOptions {
  /** False: the clock is measured and never written. */
  readonly correctClock: boolean;
  readonly coordinatorAddress: string;
}

/** What the shell shall write. */
export type Write =
  | { readonly kind: "adjust"; readonly freqPpb: number }
  | { readonly kind: "step"; readonly stepNs: number; readonly freqPpb: number };

/** How the system clock stands to domain time at one instant. */
export interface Standing {
  readonly verdict: Verdict;
  /** System minus domain (ns, positive: ahead); undefined before the first correction. */
  readonly offsetNs: number | undefined;
  /** Of the offset, standard (ns) and guaranteed (ns; infinite while it cannot be read). */
  readonly sigmaNs: number;
  readonly boundNs: number;
  /** Guaranteed bound of the system clock to UTC (ns); undefined without a source. */
  readonly utcBoundNs: number | undefined;
  /** Since the close of the newest correction's window (s). */
  readonly correctionAgeS: number | undefined;
}

/** See the module head. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #servo = new Servo();
  #line: DomainLine | undefined;
  #correction: Correction | undefined;
  #term = 0n;
  #round = 0n;
  #trustedRounds = 0;
  #verdict: Verdict = { state: "ACQUIRING", reason: "starting", advice: "" };
  #facts: ClockFacts | undefined;
  #stepped = false;
  /** Why the newest correction was not obeyed; empty: it was. */
  #refused = "";
  #lockedBefore = false;
  #closeSinceRawNs: RawNanos | undefined;
  #lastWriteRawNs: RawNanos | undefined;
  #writing = false;
  #lastOffset: Offset | undefined;
  #disruption: { readonly reason: string; readonly untilRawNs: RawNanos } | undefined;
  connected = false;
  waiting: Waiting | undefined;
  refusal: string | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get line(): DomainLine | undefined {
    return this.#line;
  }

  get correction(): Correction | undefined {
    return this.#correction;
  }

  /** Highest term obeyed so far. */
  get term(): bigint {
    return this.#term;
  }

  /** Round of the newest correction. */
  get round(): bigint {
    return this.#round;
  }

  /** An observer's clock is never written. */
  get steers(): boolean {
    return this.#options.correctClock;
  }

  /** Checks and takes a correction; returns why it is refused. */
  take(header: Header | undefined, correction: Correction, nowRawNs: RawNanos): string | undefined {
    const result = guardCorrection(
      {
        ...correction,
        term: header?.term ?? 0n,
        round: header?.round ?? 0n,
        segments: correction.segments.map(toSegment),
      },
      { term: this.#term, round: this.#round, line: this.#line, lockedBefore: this.#lockedBefore },
      nowRawNs,
    );
    if (!result.ok) {
      this.#refused = `refused: ${result.reason}`;
      return result.reason;
    }
    const term = header?.term ?? 0n;
    const round = header?.round ?? 0n;
    const follows = term === this.#term && round - this.#round <= ROUND_GAP_MAX;
    this.#trustedRounds = correction.trusted ? (follows ? this.#trustedRounds : 0) + 1 : 0;
    this.#line = result.line;
    this.#correction = correction;
    this.#term = term;
    this.#round = round;
    this.#refused = "";
    this.waiting = undefined;
    return undefined;
  }

  /**
   * What to write now, if anything.
   *
   * @param fresh true on the arrival of a correction, false on the clock's own beat
   */
  decide(nowRawNs: RawNanos, carrier: Carrier, fresh: boolean): Write | undefined {
    const line = this.#line;
    if (!line || !this.steers || this.#writing || this.refusal !== undefined) return undefined;
    // The first write waits for as much trust as LOCKED does: then one step is enough.
    if (!this.#lockedBefore && this.#trustedRounds < LOCK_ROUNDS) return undefined;
    const written = this.#lastWriteRawNs;
    const sinceNs = written === undefined ? Number.POSITIVE_INFINITY : diffNs(nowRawNs, written);
    if (sinceNs < (fresh ? WRITE_EVERY_NS : WRITE_AT_LATEST_NS)) return undefined;
    const offsetNs = this.#offset(nowRawNs, carrier)?.ns;
    if (offsetNs === undefined) return undefined;
    const out = this.#servo.decide({
      offsetNs,
      // The setting holds until the next write, a second from now.
      domainFreqPpb: line.meanFreqPpb(nowRawNs, SECOND_NS),
      settingPpb: carrier.settingPpb,
      measuredFreqPpb: carrier.measuredFreqPpb,
      foreignPpb: carrier.foreignPpb,
      locked: this.#verdict.state === "LOCKED",
      lockedBefore: this.#lockedBefore,
      mayStep: !this.#lockedBefore && !this.#stepped,
    });
    this.#writing = true;
    this.#lastWriteRawNs = nowRawNs;
    if (out.kind === "step") return { kind: "step", stepNs: out.stepNs, freqPpb: out.freqPpb };
    return { kind: "adjust", freqPpb: out.freqPpb };
  }

  /** The write has been done (or has failed): the next may follow. */
  written(): void {
    this.#writing = false;
  }

  /** The clock was stepped: what was read before says nothing any more. */
  stepped(): void {
    this.#lastOffset = undefined;
    this.#stepped = true;
  }

  /** Somebody else has changed the clock: what was measured around it counts no more. */
  disrupt(reason: string, nowRawNs: RawNanos): void {
    this.#disruption = { reason, untilRawNs: addNs(nowRawNs, WINDOW_NS) };
    this.#trustedRounds = 0;
    this.#lastOffset = undefined;
  }

  /** Looks at the clock and comes to a verdict. Call on the beat; `standing` only tells. */
  observe(nowRawNs: RawNanos, carrier: Carrier): Verdict {
    const offset = this.#offset(nowRawNs, carrier);
    if (offset?.rawNs === nowRawNs) this.#lastOffset = offset;
    const sigmaNs = this.#sigmaNs(nowRawNs, offset);
    const close = offset !== undefined && Math.abs(offset.ns) <= lockLimitNs(sigmaNs) / 2;
    if (!close) this.#closeSinceRawNs = undefined;
    else this.#closeSinceRawNs ??= nowRawNs;
    const correctionAgeS = this.#ageS(this.#correction?.windowCloseRawNs, nowRawNs);
    this.#facts = {
      ...(this.refusal === undefined ? {} : { refusal: this.refusal }),
      ...(this.#disrupted(nowRawNs) ? { disruption: this.#disruption!.reason } : {}),
      ...(carrier.foreignPpb === 0 ? {} : { foreignPpb: carrier.foreignPpb }),
      ...(this.waiting ? { waiting: this.waiting } : {}),
      ...(correctionAgeS === undefined ? {} : { correctionAgeS }),
      ...(offset === undefined ? {} : { offsetNs: offset.ns }),
      connected: this.connected,
      coordinatorAddress: this.#options.coordinatorAddress,
      freshForS: (this.#correction?.validForNs ?? 0) / SECOND_NS,
      trustedRounds: this.#trustedRounds,
      correctionReason: this.#refused || (this.#correction?.reason ?? ""),
      sigmaNs,
      boundNs: this.lineError(nowRawNs).boundNs,
      steered: this.steers,
      locked: this.#verdict.state === "LOCKED",
      closeForS: this.#ageS(this.#closeSinceRawNs, nowRawNs) ?? 0,
      blindForS: this.#ageS(this.#lastOffset?.rawNs, nowRawNs) ?? Number.POSITIVE_INFINITY,
    };
    this.#verdict = judge(this.#facts);
    this.#lockedBefore ||= this.#verdict.state === "LOCKED";
    return this.#verdict;
  }

  /** Until the window is free of it and as many rounds are trusted as LOCKED needs. */
  #disrupted(nowRawNs: RawNanos): boolean {
    if (!this.#disruption) return false;
    // Without a coordinator nobody counts rounds: then the window alone decides.
    const stale =
      (this.#ageS(this.#correction?.windowCloseRawNs, nowRawNs) ?? 0) >= FRESH_CORRECTION_S;
    const over =
      nowRawNs >= this.#disruption.untilRawNs && (stale || this.#trustedRounds >= LOCK_ROUNDS);
    if (over) this.#disruption = undefined;
    return !over;
  }

  /**
   * How things stand at a raw instant; the verdict is that of the last look, but for a correction that
   * has grown old since: a process that was not run for a while is asked before it has looked.
   */
  standing(nowRawNs: RawNanos, carrier: Carrier): Standing {
    const offset = this.#offset(nowRawNs, carrier);
    const boundNs = offset
      ? this.lineError(nowRawNs).boundNs + Math.abs(offset.ns) + offset.boundNs
      : Number.POSITIVE_INFINITY;
    const domainUtcNs = this.domainUtcBoundNs(nowRawNs);
    const correctionAgeS = this.#ageS(this.#correction?.windowCloseRawNs, nowRawNs);
    const stale = this.#facts !== undefined && (correctionAgeS ?? 0) >= FRESH_CORRECTION_S;
    return {
      verdict: stale ? judge({ ...this.#facts!, correctionAgeS: correctionAgeS! }) : this.#verdict,
      offsetNs: offset?.ns,
      sigmaNs: this.#sigmaNs(nowRawNs, offset),
      boundNs,
      utcBoundNs:
        domainUtcNs !== undefined && Number.isFinite(boundNs) ? boundNs + domainUtcNs : undefined,
      correctionAgeS,
    };
  }

  /**
   * Uncertainty of the domain line itself at a raw instant (ns).
   *
   * The reference's own line is domain time by definition while its corrections are fresh, but for
   * rates that it has not heard yet; without corrections another host may lead by now, and the line
   * ages like everybody's.
   */
  lineError(nowRawNs: RawNanos): { sigmaNs: number; boundNs: number } {
    const c = this.#correction;
    if (!c || !this.#line) return { sigmaNs: 0, boundNs: 0 };
    const closeAgeS = this.#ageS(c.windowCloseRawNs, nowRawNs) ?? 0;
    const unheardS = diffNs(nowRawNs, this.#line.last.rawNs) / SECOND_NS - ANNOUNCED_S;
    // A round was missed: another host may lead by now, and domain time goes on from its line.
    const heirNs = closeAgeS < MISSED_S ? 0 : c.heirBoundNs;
    if (c.isReference && closeAgeS < FRESH_CORRECTION_S) {
      return { sigmaNs: 0, boundNs: heirNs + bentNs(unheardS, c.farPull) };
    }
    const ageS = Math.max(0, this.#ageS(c.solvedRawNs, nowRawNs) ?? 0);
    return {
      sigmaNs: grownSigmaNs(c.offsetSigmaNs, c.freqSigmaPpb, c.freqRateSigmaPpbPerS, ageS),
      boundNs: grownBoundNs(c.boundNs, c.freqSigmaPpb, ageS) + heirNs + bentNs(unheardS, c.farPull),
    };
  }

  /** System minus domain with the uncertainty of reading it; a young one stands in for a moment. */
  #offset(nowRawNs: RawNanos, carrier: Carrier): Offset | undefined {
    if (!this.#line) return undefined;
    const reading = carrier.systemAt(nowRawNs);
    if (!reading) {
      const last = this.#lastOffset;
      const written = this.#lastWriteRawNs;
      // Blind for any other reason, the clock may have been stepped by somebody: nothing is claimed.
      if (!last || written === undefined || diffNs(nowRawNs, written) > BLIND_NS) return undefined;
      const ageNs = diffNs(nowRawNs, last.rawNs);
      if (ageNs > 2 * BLIND_NS) return undefined;
      return { ...last, boundNs: last.boundNs + ageNs * KERNEL_FREQ_LIMIT_PPB * 1e-9 };
    }
    const domain = this.#line.at(nowRawNs);
    const ns = Number(reading.systemNs - domain.unixNs) + reading.fractionNs - domain.fractionNs;
    const boundNs = reading.boundNs + (this.steers ? 0 : DAEMON_UNSEEN_NS);
    return { rawNs: nowRawNs, ns, sigmaNs: reading.sigmaNs, boundNs };
  }

  #sigmaNs(nowRawNs: RawNanos, offset: Offset | undefined): number {
    return Math.hypot(this.lineError(nowRawNs).sigmaNs, offset?.sigmaNs ?? 0);
  }

  /**
   * How far domain time can be from UTC, if the reference's own source is right (ns); undefined
   * without a source. Between two corrections domain time runs at its own pace; unheard of, the
   * source may drift as the kernel's maxerror supposes.
   */
  domainUtcBoundNs(nowRawNs: RawNanos): number | undefined {
    const c = this.#correction;
    if (!c?.referenceHasSource) return undefined;
    const ageS = Math.max(0, this.#ageS(c.windowCloseRawNs, nowRawNs) ?? 0);
    const heardS = Math.min(ageS, FRESH_CORRECTION_S);
    const driftNs = heardS * DOMAIN_PACE_PPB + (ageS - heardS) * KERNEL_FREQ_LIMIT_PPB;
    return Math.abs(c.referencePullNs) + c.referenceMaxErrorNs + driftNs;
  }

  #ageS(sinceRawNs: bigint | undefined, nowRawNs: RawNanos): number | undefined {
    return sinceRawNs === undefined ? undefined : Number(nowRawNs - sinceRawNs) * 1e-9;
  }
}

function toSegment(s: Correction["segments"][number]): DomainSegment {
  return {
    rawNs: rawNanos(s.rawNs),
    domainUnixNs: unixNanos(s.domainUnixNs),
    domainFractionNs: s.domainFractionNs,
    freqPpb: s.freqPpb,
  };
}
