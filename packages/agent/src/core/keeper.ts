/**
 * Keeps one clock: takes corrections, steers, and says how far the clock may be off.
 *
 * Estimation and control meet here and nowhere else: the line comes in from the coordinator, the
 * reading of the system clock from the carry, and a frequency setting goes out once a second.
 */
import {
  type DomainLine,
  type DomainSegment,
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
import { addNs, diffNs, type RawNanos, rawNanos, SECOND_NS, unixNanos } from "@ttcs/units";
import type { Carrier } from "./carrier.ts";

/** A setting is written this often, on the arrival of a correction (ns) ... */
const WRITE_EVERY_NS = 0.9 * SECOND_NS;
/** ... or without one when this much has passed (ns): holdover goes on steering to the last line. */
const WRITE_AT_LATEST_NS = 1.25 * SECOND_NS;

/** Just after a large write the clock cannot be read; an offset this young stands in (ns). */
const BLIND_NS = 150_000_000;

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
  /** Guaranteed bound of the domain line alone, without the system clock's own distance (ns). */
  readonly lineBoundNs: number;
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
  #locked = false;
  #lockedBefore = false;
  #closeSinceRawNs: RawNanos | undefined;
  #lastWriteRawNs: RawNanos | undefined;
  #writing = false;
  #lastOffset: Offset | undefined;
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

  /** An observer's clock is never written, nor that of a reference with a source of its own. */
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
    if (!result.ok) return result.reason;
    this.#line = result.line;
    this.#correction = correction;
    this.#term = header?.term ?? 0n;
    this.#round = header?.round ?? 0n;
    this.#trustedRounds = correction.trusted ? this.#trustedRounds + 1 : 0;
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
    const sinceNs = this.#lastWriteRawNs ? diffNs(nowRawNs, this.#lastWriteRawNs) : Infinity;
    if (sinceNs < (fresh ? WRITE_EVERY_NS : WRITE_AT_LATEST_NS)) return undefined;
    const offsetNs = this.#offset(nowRawNs, carrier)?.ns;
    if (offsetNs === undefined) return undefined;
    // The setting holds until the next write: its middle is what the rate is asked for.
    const ahead = addNs(nowRawNs, SECOND_NS / 2);
    const out = this.#servo.decide({
      offsetNs,
      domainFreqPpb: line.freqPpbAt(ahead),
      settingPpb: carrier.settingPpb,
      measuredFreqPpb: carrier.measuredFreqPpb,
      locked: this.#locked,
      lockedBefore: this.#lockedBefore,
      mayStep: !this.#lockedBefore,
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
  }

  /** How things stand at a raw instant. */
  standing(nowRawNs: RawNanos, carrier: Carrier): Standing {
    const offset = this.#offset(nowRawNs, carrier);
    const offsetNs = offset?.ns;
    const line = this.lineError(nowRawNs);
    const sigmaNs = Math.hypot(line.sigmaNs, offset?.sigmaNs ?? 0);
    const boundNs = offset
      ? line.boundNs + Math.abs(offset.ns) + offset.boundNs
      : Number.POSITIVE_INFINITY;
    const correctionAgeS = this.#ageS(this.#correction?.windowCloseRawNs, nowRawNs);
    const verdict = judge({
      ...(this.refusal === undefined ? {} : { refusal: this.refusal }),
      ...(this.waiting ? { waiting: this.waiting } : {}),
      ...(correctionAgeS === undefined ? {} : { correctionAgeS }),
      ...(offsetNs === undefined ? {} : { offsetNs }),
      connected: this.connected,
      coordinatorAddress: this.#options.coordinatorAddress,
      trustedRounds: this.#trustedRounds,
      correctionReason: this.#correction?.reason ?? "",
      sigmaNs,
      boundNs: line.boundNs,
      steered: this.steers,
      locked: this.#locked,
      closeForS: this.#closeForS(nowRawNs, offset, sigmaNs),
    });
    this.#locked = verdict.state === "LOCKED";
    this.#lockedBefore ||= this.#locked;
    const utcBoundNs = this.#utcBoundNs(boundNs);
    const lineBoundNs = line.boundNs;
    return { verdict, offsetNs, sigmaNs, boundNs, lineBoundNs, utcBoundNs, correctionAgeS };
  }

  /** Uncertainty of the domain line itself at a raw instant (ns). */
  lineError(nowRawNs: RawNanos): { sigmaNs: number; boundNs: number } {
    const c = this.#correction;
    if (!c) return { sigmaNs: 0, boundNs: 0 };
    const ageS = Math.max(0, this.#ageS(c.solvedRawNs, nowRawNs) ?? 0);
    // The reference's line is domain time by definition; it does not age while it leads.
    if (c.isReference) return { sigmaNs: 0, boundNs: 0 };
    return {
      sigmaNs: grownSigmaNs(c.offsetSigmaNs, c.freqSigmaPpb, ageS),
      boundNs: grownBoundNs(c.boundNs, c.freqSigmaPpb, ageS),
    };
  }

  /** System minus domain with the uncertainty of reading it; a young one stands in for a moment. */
  #offset(nowRawNs: RawNanos, carrier: Carrier): Offset | undefined {
    if (!this.#line) return undefined;
    const reading = carrier.systemAt(nowRawNs);
    if (!reading) {
      const last = this.#lastOffset;
      const ageNs = last ? diffNs(nowRawNs, last.rawNs) : Number.POSITIVE_INFINITY;
      if (!last || ageNs > BLIND_NS) return undefined;
      return { ...last, boundNs: last.boundNs + ageNs * KERNEL_FREQ_LIMIT_PPB * 1e-9 };
    }
    const domain = this.#line.at(nowRawNs);
    const ns = Number(reading.systemNs - domain.unixNs) + reading.fractionNs - domain.fractionNs;
    const { sigmaNs, boundNs } = reading;
    this.#lastOffset = { rawNs: nowRawNs, ns, sigmaNs, boundNs };
    return this.#lastOffset;
  }

  #closeForS(nowRawNs: RawNanos, offset: Offset | undefined, sigmaNs: number): number {
    const close = offset !== undefined && Math.abs(offset.ns) <= lockLimitNs(sigmaNs) / 2;
    if (!close) this.#closeSinceRawNs = undefined;
    else this.#closeSinceRawNs ??= nowRawNs;
    return this.#ageS(this.#closeSinceRawNs, nowRawNs) ?? 0;
  }

  #utcBoundNs(boundNs: number): number | undefined {
    const c = this.#correction;
    if (!c?.referenceHasSource || !Number.isFinite(boundNs)) return undefined;
    return boundNs + Math.abs(c.referencePullNs) + c.referenceMaxErrorNs;
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
