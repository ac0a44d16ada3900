/**
 * Keeps one clock: takes corrections, steers, and says how far the clock may be off.
 *
 * Estimation and control meet here and nowhere else: the line comes in from the coordinator, the
 * reading of the system clock from the carry, and a frequency setting goes out once a second.
 */
import {
  type ClockFacts,
  type DomainLine,
  FRESH_CORRECTION_S,
  judge,
  KERNEL_FREQ_LIMIT_PPB,
  LOCK_ROUNDS,
  lockLimitNs,
  Servo,
  STEP_THRESHOLD_NS,
  type Verdict,
} from "@ttcs/discipline";
import type { Correction, Header, Waiting } from "@ttcs/protocol";
import { addNs, diffNs, type RawNanos, rawNanos, SECOND_NS, WINDOW_NS } from "@ttcs/units";
import { AnchorWatch } from "./anchor-watch.ts";
import type { Carrier } from "./carrier.ts";
import { type Deed, movedMeanwhile } from "./deeds.ts";
import { ageS, domainUtcBoundOf, lineErrorOf, localErrorOf } from "./line-error.ts";
import { Obedience } from "./obedience.ts";
import { objectionsOf } from "./objections.ts";
import { type LeftOver, ownMoveNs, type SavedState, usable } from "./saved-state.ts";
import type { KeeperOptions, Offset, Standing, Write } from "./standing.ts";
import { StepBack } from "./step-back.ts";

/** A setting is written this often, on the arrival of a correction (ns) ... */
const WRITE_EVERY_NS = 0.9 * SECOND_NS;
/** ... or without one when this much has passed (ns): holdover goes on steering to the last line. */
const WRITE_AT_LATEST_NS = 1.25 * SECOND_NS;

/** After a restart a few writes are as brisk as before LOCKED (ns). */
const BRISK_NS = 3 * SECOND_NS;
/** What a daemon that steers the clock may have changed since the last batch (ns): 2 ppm for 50 ms. */
const DAEMON_UNSEEN_NS = 100;
/** After a large write of our own the clock cannot be read for up to this; an offset stands in (ns). */
const BLIND_NS = 100_000_000;

/** See the module head. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #servo = new Servo();
  readonly #obedience: Obedience;
  /** What the own edges to anchors say. */
  readonly anchors = new AnchorWatch();
  #verdict: Verdict = { state: "ACQUIRING", reason: "starting", advice: "" };
  #facts: ClockFacts | undefined;
  #stepped = false;
  #closeSinceRawNs: RawNanos | undefined;
  #lastWriteRawNs: RawNanos | undefined;
  #writing = false;
  #lastOffset: Offset | undefined;
  #disruption: { readonly deed: Deed; readonly untilRawNs: RawNanos } | undefined;
  readonly #stepBack = new StepBack();
  /** What an earlier life has left, until the clock has been compared with it. */
  #resumed: LeftOver | undefined;
  /** True from a restart until a correction can be trusted again. */
  #unheard = false;
  /** Until then a clock that comes back is brought to its line briskly, LOCKED or not. */
  #briskUntilRawNs = rawNanos(0n);
  /** Rate that an earlier life has learnt, until it is set (ppb). */
  #inheritedPpb: number | undefined;
  /** Why the coordinator has nothing to steer by; undefined: it has. */
  #held: string | undefined;
  connected = false;
  waiting: Waiting | undefined;
  refusal: string | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#obedience = new Obedience(options.correctClock);
  }

  get line(): DomainLine | undefined {
    return this.#obedience.line;
  }

  get correction(): Correction | undefined {
    return this.#obedience.correction;
  }

  /** Highest term obeyed so far. */
  get term(): bigint {
    return this.#obedience.term;
  }

  /** Round of the newest correction. */
  get round(): bigint {
    return this.#obedience.round;
  }

  /** What is obeyed, and what has been learnt. */
  get obedience(): Readonly<Obedience> {
    return this.#obedience;
  }

  /** An observer's clock is never written. */
  get steers(): boolean {
    return this.#options.correctClock;
  }

  /** Goes on where an earlier life of this agent stopped, as far as that is worth anything. */
  resume(saved: SavedState, bootId: string, nowRawNs: RawNanos): void {
    const state = usable(saved, bootId, nowRawNs);
    this.#obedience.resume(state, state.correction !== undefined);
    this.#resumed = state.correction === undefined ? undefined : state;
    this.#unheard = this.#resumed !== undefined;
    if (saved.bootId !== bootId) this.#inheritedPpb = saved.ledger?.basePpb;
  }

  /** Checks and takes a correction; returns why it is refused. */
  take(header: Header | undefined, correction: Correction, nowRawNs: RawNanos): string | undefined {
    const refused = this.#obedience.take(header, correction, nowRawNs, this.anchors);
    if (refused !== undefined) return refused;
    this.waiting = undefined;
    this.#held = undefined;
    return undefined;
  }

  /** There is nothing to steer by: the line in force is held over until the next correction. */
  hold(reason: string): void {
    this.#held = reason || "the coordinator has nothing to steer by";
  }

  /**
   * What to write now, if anything.
   *
   * @param fresh true on the arrival of a correction, false on the clock's own beat
   */
  decide(nowRawNs: RawNanos, carrier: Carrier, fresh: boolean): Write | undefined {
    if (!this.steers || this.#writing || this.refusal !== undefined) return undefined;
    const { line, lockedBefore, trustedRounds, panic } = this.#obedience;
    if (panic !== undefined) return undefined;
    if (!line) return this.#inherit(carrier);
    // The first write waits for as much trust as LOCKED does: then one step is enough.
    if (!lockedBefore && trustedRounds < LOCK_ROUNDS) return undefined;
    // After a restart the clock was steered for longer than the saved line knows of: it keeps its rate.
    // One trusted round is enough to go on with: the guards know the line before it.
    if (this.#unheard && trustedRounds === 0) return undefined;
    if (this.#unheard) this.#briskUntilRawNs = addNs(nowRawNs, BRISK_NS);
    this.#unheard = false;
    const written = this.#lastWriteRawNs;
    const sinceNs = written === undefined ? Number.POSITIVE_INFINITY : diffNs(nowRawNs, written);
    if (sinceNs < (fresh ? WRITE_EVERY_NS : WRITE_AT_LATEST_NS)) return undefined;
    const offsetNs = this.#offset(nowRawNs, carrier)?.ns;
    if (offsetNs === undefined) return undefined;
    const basePpb = this.#obedience.ledger?.basePpb;
    const out = this.#servo.decide({
      offsetNs,
      // The setting holds until the next write, a second from now.
      domainFreqPpb: line.meanFreqPpb(nowRawNs, SECOND_NS),
      settingPpb: carrier.settingPpb,
      measuredFreqPpb: carrier.measuredFreqPpb,
      measuredSigmaPpb: carrier.measuredSigmaPpb,
      foreignPpb: carrier.foreignPpb,
      locked: this.#verdict.state === "LOCKED" && nowRawNs >= this.#briskUntilRawNs,
      lockedBefore,
      mayStep: lockedBefore
        ? this.#stepBack.allows(offsetNs, this.#obedience, nowRawNs)
        : !this.#stepped,
      ...(lockedBefore && basePpb !== undefined ? { basePpb } : {}),
    });
    this.#writing = true;
    this.#lastWriteRawNs = nowRawNs;
    if (out.kind === "step" && lockedBefore) this.#stepBack.taken(nowRawNs);
    if (out.kind === "step") return { kind: "step", stepNs: out.stepNs, freqPpb: out.freqPpb };
    return { kind: "adjust", freqPpb: out.freqPpb };
  }

  /** A machine that has booted runs at the rate that it had learnt, until corrections come. */
  #inherit(carrier: Carrier): Write | undefined {
    const freqPpb = this.#inheritedPpb;
    this.#inheritedPpb = undefined;
    // A setting that is not the kernel's own is somebody's choice.
    if (freqPpb === undefined || carrier.settingPpb !== 0) return undefined;
    this.#writing = true;
    return { kind: "adjust", freqPpb };
  }

  /** What to write at the end: the pace of the line alone, for nobody will end a slew that has begun. */
  rest(nowRawNs: RawNanos, carrier: Carrier): Write | undefined {
    const { line, lockedBefore, panic, ledger } = this.#obedience;
    if (!this.steers || this.refusal !== undefined || panic !== undefined) return undefined;
    if (!line || !lockedBefore || this.#verdict.state !== "LOCKED") return undefined;
    const domainFreqPpb = line.meanFreqPpb(nowRawNs, SECOND_NS);
    const { foreignPpb } = carrier;
    const basePpb = ledger?.basePpb ?? domainFreqPpb;
    return { kind: "adjust", freqPpb: this.#servo.pacePpb({ domainFreqPpb, foreignPpb, basePpb }) };
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

  /** The clock was disturbed: what was measured around it counts no more. */
  disrupt(deed: Deed, nowRawNs: RawNanos): void {
    this.#disruption = { deed, untilRawNs: addNs(nowRawNs, WINDOW_NS) };
    this.#stepBack.moved(deed.movedNs);
    this.#obedience.trustedRounds = 0;
    this.#lastOffset = undefined;
  }

  /** Looks at the clock and comes to a verdict. Call on the beat; `standing` only tells. */
  observe(nowRawNs: RawNanos, carrier: Carrier): Verdict {
    const { correction, trustedRounds, refused } = this.#obedience;
    const offset = this.#offset(nowRawNs, carrier);
    if (offset?.rawNs === nowRawNs) this.#lastOffset = offset;
    if (offset && this.#resumed) this.#compareWithEarlierLife(this.#resumed, offset, carrier);
    // How near the clock must be to its line, and how old that may grow, are matters of the region.
    const inside = this.#localError(nowRawNs);
    const insideNs = Math.hypot(inside.sigmaNs, offset?.sigmaNs ?? 0);
    const close = offset !== undefined && Math.abs(offset.ns) <= lockLimitNs(insideNs) / 2;
    if (!close) this.#closeSinceRawNs = undefined;
    else this.#closeSinceRawNs ??= nowRawNs;
    this.#facts = {
      ...this.#objections(nowRawNs),
      ...(carrier.foreignPpb === 0 ? {} : { foreignPpb: carrier.foreignPpb }),
      ...(this.waiting ? { waiting: this.waiting } : {}),
      ...(correction ? { correctionAgeS: ageS(correction.windowCloseRawNs, nowRawNs) } : {}),
      ...(offset === undefined ? {} : { offsetNs: offset.ns }),
      connected: this.connected,
      coordinatorAddress: this.#options.coordinatorAddress,
      freshForS: (correction?.validForNs ?? 0) / SECOND_NS,
      trustedRounds,
      correctionReason: refused || (correction?.reason ?? ""),
      sigmaNs: insideNs,
      boundNs: inside.boundNs,
      steered: this.steers,
      locked: this.#verdict.state === "LOCKED",
      closeForS: this.#closeSinceRawNs === undefined ? 0 : ageS(this.#closeSinceRawNs, nowRawNs),
      blindForS: this.#lastOffset
        ? ageS(this.#lastOffset.rawNs, nowRawNs)
        : Number.POSITIVE_INFINITY,
    };
    this.#verdict = judge(this.#facts);
    if (this.#verdict.state === "LOCKED") {
      this.#obedience.locked(nowRawNs);
      this.#stepBack.settled();
    }
    return this.#verdict;
  }

  #objections(nowRawNs: RawNanos) {
    const { refusal } = this;
    const { panic } = this.#obedience;
    const { stateFile } = this.#options;
    const deed = this.#disrupted(nowRawNs) ? this.#disruption!.deed : undefined;
    return objectionsOf({ panic, refusal, stateFile, deed, held: this.#held });
  }

  /** Somebody may have moved the clock while no agent ran. */
  #compareWithEarlierLife(saved: LeftOver, offset: Offset, { settingPpb }: Carrier): void {
    const nowRawNs = offset.rawNs;
    this.#resumed = undefined;
    const ownNs = ownMoveNs(saved, settingPpb, this.#obedience.ledger?.basePpb, nowRawNs);
    const limitNs = this.lineError(nowRawNs).boundNs + STEP_THRESHOLD_NS + ownNs;
    if (!this.steers || Math.abs(offset.ns) <= limitNs) return;
    this.disrupt(movedMeanwhile(offset.ns), nowRawNs);
  }

  /** Until the window is free of it and as many rounds are trusted as LOCKED needs. */
  #disrupted(nowRawNs: RawNanos): boolean {
    if (!this.#disruption) return false;
    // Without a coordinator nobody counts rounds: then the window alone decides.
    const stale =
      this.correction !== undefined &&
      ageS(this.correction.windowCloseRawNs, nowRawNs) >= FRESH_CORRECTION_S;
    const trusted = this.#obedience.trustedRounds >= LOCK_ROUNDS;
    const over = nowRawNs >= this.#disruption.untilRawNs && (stale || trusted);
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
    const correctionAgeS = this.correction && ageS(this.correction.windowCloseRawNs, nowRawNs);
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

  /** Uncertainty of the domain line itself at a raw instant (ns). */
  lineError(nowRawNs: RawNanos): { sigmaNs: number; boundNs: number } {
    const { line, correction, doubtNs } = this.#obedience;
    if (!correction || !line) return { sigmaNs: 0, boundNs: 0 };
    const error = lineErrorOf(correction, line, nowRawNs);
    return { sigmaNs: error.sigmaNs, boundNs: error.boundNs + doubtNs };
  }

  /** Uncertainty of the line against the local reference's (ns). */
  #localError(nowRawNs: RawNanos): { sigmaNs: number; boundNs: number } {
    const { line, correction, doubtNs } = this.#obedience;
    if (!correction?.localReferenceHostId || !line) return this.lineError(nowRawNs);
    const error = localErrorOf(correction, line, nowRawNs);
    return { sigmaNs: error.sigmaNs, boundNs: error.boundNs + doubtNs };
  }

  /** System minus domain with the uncertainty of reading it; a young one stands in for a moment. */
  #offset(nowRawNs: RawNanos, carrier: Carrier): Offset | undefined {
    const { line } = this;
    if (!line) return undefined;
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
    const domain = line.at(nowRawNs);
    const ns = Number(reading.systemNs - domain.unixNs) + reading.fractionNs - domain.fractionNs;
    const boundNs = reading.boundNs + (this.steers ? 0 : DAEMON_UNSEEN_NS);
    return { rawNs: nowRawNs, ns, sigmaNs: reading.sigmaNs, boundNs };
  }

  #sigmaNs(nowRawNs: RawNanos, offset: Offset | undefined): number {
    return Math.hypot(this.lineError(nowRawNs).sigmaNs, offset?.sigmaNs ?? 0);
  }

  /** How far domain time can be from UTC (ns); undefined without a source. */
  domainUtcBoundNs(nowRawNs: RawNanos): number | undefined {
    return domainUtcBoundOf(this.correction, nowRawNs);
  }
}
