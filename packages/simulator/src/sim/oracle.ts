/**
 * Watches a world and says where what must never happen has happened.
 *
 * Ten times a second, and at every deed of an agent, what hosts claim is held against the truth:
 *
 *   bound     whoever publishes a bound is within it of domain time, its line and its clock
 *   utc       the same to UTC, where a bound to UTC is published
 *   stale     nobody is LOCKED by a correction older than 2 s
 *   backward  a clock that was LOCKED never goes back by our hand
 *   step      nor is it stepped by our hand: once LOCKED, a boot or another hand must lie between, or a
 *             new start of an agent that keeps nothing (`agentsForget`)
 *   slew      our hand slews by no more than the servo's limits, and sets nothing the kernel refuses
 *   term      nobody obeys a term lower than one that it has obeyed since its start
 *   two terms nobody obeys a term when somebody whom it reaches has obeyed a later one for longer than
 *             a hand-over takes (`HANDOVER_NS`); sides that are cut apart both ways are two domains
 *   jump      domain time goes on when the lead passes: within 1 us and the bounds of the heirs
 *   leap      the same as each agent sees it: a new line meets the old one within both bounds
 *   not back  in the last seconds of a quiet tail everybody is LOCKED, if not all the time (`judgeEnd`)
 *
 * What nobody can know is not judged: a clock within `#graceNs` of another hand's deed, the clock of a
 * host that lies about it, UTC after another hand was on the reference's clock, and an agent that is
 * not run, for it tells nobody anything. Watching does not change the course of a world.
 */
import { FRESH_CORRECTION_S, KERNEL_FREQ_LIMIT_PPB } from "@ttcs/discipline";
import { SECOND_NS } from "@ttcs/units";
import type { SimHost } from "./sim-host.ts";
import type { Simulation } from "./simulation.ts";
import { type Domain, domainNsAt, domainOf, lineNsAt } from "./truth.ts";
import type { Obeyed, Witness } from "./witness.ts";

/** What can go wrong; see the module head. */
export const ORACLE_RULES = [
  "bound",
  "utc",
  "stale",
  "backward",
  "step",
  "slew",
  "term",
  "two terms",
  "jump",
  "leap",
  "not back",
] as const;
export type OracleRule = (typeof ORACLE_RULES)[number];

/** Something that must not happen, and did. */
export interface Violation {
  readonly seed: number;
  readonly atS: number;
  readonly host: string;
  readonly rule: OracleRule;
  /** The figures, in words. */
  readonly text: string;
}

/** Time between two looks (ns). */
const LOOK_EVERY_NS = 100e6;
/** Another hand's deed is noticed by so many batches of readings, and by this time at the earliest (ns). */
const GRACE_BATCHES = 5;
const GRACE_NS = 350e6;
/** Readings of a clock are whole nanoseconds, rounded down (ns). */
const ROUNDING_NS = 1;
/** A message, the beat of the server and a batch of the agent: a hand-over takes less (ns). */
const HANDOVER_NS = 1e9;
/** What the lead's passing on may add to domain time beyond the heirs' bounds (ns). */
const PASS_NS = 1_000;
/** Largest slew before and after the first lock (ppb). */
const ACQUIRE_SLEW_PPB = 500_000;
const LOCKED_SLEW_PPB = 50_000;
/** The servo learns up to 2 ppm of mismatch, and readings of the line are good to far less (ppb). */
const SLEW_TOLERANCE_PPB = 2_500;
/** An agent takes so long to learn what another hand adds, or no longer adds, to the rate (ns). */
const SLEW_LEARN_NS = 4e9;
/** Restless paths take a clock over LOCKED's limit now and then: seen LOCKED in this time it is back (ns). */
const BACK_SEEN_NS = 10e9;
/** A rule that one host breaks again within this is the same fault (ns), and faults are told up to so many. */
const SAME_NS = 10e9;
const TOLD_MAX = 50;

/** What is remembered of a host. */
interface Past {
  /** LOCKED since the start of this agent, and since the machine has booted. */
  lockedInLife: boolean;
  lockedInBoot: boolean;
  /** Own steps that another hand's deeds have earned. */
  stepsEarned: number;
  disturbedNs: number;
  slewedNs: number;
  /** System clock at the last look (ns), and what another hand has stepped it by since. */
  systemNs: number;
  foreignStepNs: number;
  ownStepNs: number;
  term: bigint;
  termSinceNs: number;
  /** Bound of its own line at the last look, or when it gave the line up for another (ns). */
  lineBoundNs: number;
  /** When it was last seen LOCKED (ns). */
  lockedNs: number;
}

/** See the module head. */
export class Oracle implements Witness {
  readonly violations: Violation[] = [];
  /** All of them, also those that are not told. */
  count = 0;
  readonly #world: Simulation;
  readonly #past: Past[];
  readonly #told = new Map<string, number>();
  #domain: Domain | undefined;
  #utcSpoiled = false;
  /** For how long after another hand's deed a clock is not judged (ns). */
  readonly #graceNs: number;

  readonly #agentsForget: boolean;

  /** @param agentsForget true while an agent that is started again knows nothing of its life before */
  constructor(world: Simulation, { agentsForget = false } = {}) {
    this.#agentsForget = agentsForget;
    this.#world = world;
    this.#past = world.hosts.map(() => newPast());
    this.#graceNs = GRACE_NS + GRACE_BATCHES * world.options.batchNs;
    world.witness = this;
    world.observe(LOOK_EVERY_NS, () => this.#look());
  }

  started(host: SimHost): void {
    const past = this.#past[host.index];
    past.lockedInLife = false;
    past.term = 0n;
  }

  booted(host: SimHost): void {
    this.#past[host.index] = newPast();
  }

  disturbed(host: SimHost, stepNs: number): void {
    const past = this.#past[host.index];
    past.disturbedNs = this.#world.nowNs;
    past.foreignStepNs += stepNs;
    past.stepsEarned = 1;
    if (stepNs === 0) past.slewedNs = this.#world.nowNs;
    if (host.isReference) this.#utcSpoiled = true;
  }

  obeyed(host: SimHost, before: Obeyed): void {
    const { nowNs, hosts, network } = this.#world;
    const past = this.#past[host.index];
    const { term, line } = host.core.keeper;
    if (term < past.term) this.#tell(host, "term", `obeys ${term} after ${past.term}`);
    if (term > past.term) {
      past.term = term;
      past.termSinceNs = nowNs;
    }
    for (const other of hosts) {
      const { term: later, termSinceNs } = this.#past[other.index];
      if (later <= term || !other.alive || nowNs - termSinceNs <= HANDOVER_NS) continue;
      const apart =
        network.link(host.index, other.index).isCut && network.link(other.index, host.index).isCut;
      if (apart) continue;
      const sinceS = ((nowNs - termSinceNs) / SECOND_NS).toFixed(1);
      this.#tell(
        host,
        "two terms",
        `obeys ${term}; ${other.id} has obeyed ${later} for ${sinceS} s`,
      );
      break;
    }
    if (Number.isFinite(past.lineBoundNs)) {
      past.lineBoundNs = Math.max(past.lineBoundNs, before.boundNs);
    }
    if (!before.line || !past.lockedInLife || this.#isLiar(host)) return;
    const leapNs = lineNsAt(line!, host, nowNs) - lineNsAt(before.line, host, nowNs);
    const { boundNs } = host.core.keeper.lineError(host.rawAt(nowNs));
    const limitNs = PASS_NS + before.boundNs + boundNs;
    if (Math.abs(leapNs) > limitNs) {
      this.#tell(host, "leap", `the line leaps by ${ns(leapNs)}, limit ${ns(limitNs)}`);
    }
  }

  wrote(host: SimHost, freqPpb: number): void {
    const { nowNs } = this.#world;
    const past = this.#past[host.index];
    const { line } = host.core.keeper;
    if (!(Math.abs(freqPpb) <= KERNEL_FREQ_LIMIT_PPB)) {
      this.#tell(host, "slew", `sets ${freqPpb} ppb, which the kernel refuses`);
    }
    if (!line || nowNs - past.slewedNs < SLEW_LEARN_NS) return;
    const limitPpb = past.lockedInLife ? LOCKED_SLEW_PPB : ACQUIRE_SLEW_PPB;
    const basePpb = line.meanFreqPpb(host.rawAt(nowNs), SECOND_NS);
    const slewPpb = freqPpb + host.clock.foreignPpb - basePpb;
    if (Math.abs(slewPpb) > limitPpb + SLEW_TOLERANCE_PPB) {
      this.#tell(host, "slew", `slews by ${slewPpb.toFixed(0)} ppb, limit ${limitPpb} ppb`);
    }
  }

  stepped(host: SimHost, stepNs: number): void {
    const past = this.#past[host.index];
    past.ownStepNs += stepNs;
    if (!(this.#agentsForget ? past.lockedInLife : past.lockedInBoot)) return;
    if (past.stepsEarned-- > 0) return;
    this.#tell(host, "step", `steps by ${ns(stepNs)} although it was LOCKED before`);
  }

  /**
   * Call at the end of a quiet tail: whoever was not LOCKED in its last seconds has not come back. A host
   * that still lies is rightly left out.
   */
  judgeEnd(): void {
    const { hosts, nowNs } = this.#world;
    for (const host of hosts) {
      if (!host.alive || nowNs - this.#past[host.index].lockedNs < BACK_SEEN_NS) continue;
      if (this.#isLiar(host)) continue;
      const { state, reason } = host.core.standing(host.rawAt(nowNs)).verdict;
      this.#tell(host, "not back", `${state}: ${reason}`);
    }
  }

  #look(): void {
    const { hosts, nowNs, hash } = this.#world;
    this.#follow();
    const domainNs = this.#domain ? domainNsAt(this.#domain, nowNs) : Number.NaN;
    for (const host of hosts) {
      const past = this.#past[host.index];
      const systemNs = host.clock.systemNsAt(nowNs);
      hash.number(systemNs);
      if (past.lockedInLife) this.#judgeBackward(host, past, systemNs);
      past.systemNs = systemNs;
      past.foreignStepNs = 0;
      past.ownStepNs = 0;
      if (host.alive && nowNs >= host.pausedUntilNs) this.#judge(host, past, systemNs, domainNs);
    }
  }

  #judge(host: SimHost, past: Past, systemNs: number, domainNs: number): void {
    const { nowNs } = this.#world;
    const rawNs = host.rawAt(nowNs);
    const { verdict, boundNs, offsetNs, utcBoundNs, correctionAgeS } = host.core.standing(rawNs);
    const { state } = verdict;
    const { keeper } = host.core;
    past.lineBoundNs = keeper.line ? keeper.lineError(rawNs).boundNs : Number.POSITIVE_INFINITY;
    if (state === "LOCKED") {
      past.lockedInLife = true;
      past.lockedInBoot = true;
      past.lockedNs = nowNs;
      const limitS = FRESH_CORRECTION_S + this.#world.options.batchNs / SECOND_NS;
      if (correctionAgeS !== undefined && correctionAgeS > limitS) {
        this.#tell(host, "stale", `LOCKED by a correction ${correctionAgeS.toFixed(2)} s old`);
      }
    }
    if (this.#isLiar(host) || !Number.isFinite(domainNs)) return;
    if (keeper.line) {
      const lineNs = lineNsAt(keeper.line, host, nowNs) - domainNs;
      this.#inside(host, "bound", `${state}, line`, lineNs, past.lineBoundNs);
    }
    if (offsetNs === undefined || nowNs - past.disturbedNs < this.#graceNs) return;
    this.#inside(host, "bound", `${state}, clock`, systemNs - domainNs, boundNs);
    if (utcBoundNs !== undefined && !this.#utcSpoiled) {
      this.#inside(host, "utc", state, systemNs - nowNs, utcBoundNs);
    }
  }

  #inside(host: SimHost, rule: OracleRule, what: string, errorNs: number, boundNs: number): void {
    if (Math.abs(errorNs) <= boundNs + ROUNDING_NS) return;
    this.#tell(host, rule, `${what}: error ${ns(errorNs)}, bound ${ns(boundNs)}`);
  }

  #judgeBackward(host: SimHost, past: Past, systemNs: number): void {
    const gainedNs = systemNs - past.systemNs - past.foreignStepNs - past.ownStepNs;
    if (gainedNs < 0) this.#tell(host, "backward", `the clock went by ${ns(gainedNs)}`);
  }

  /** Takes over where domain time lies, and sees that it goes on. */
  #follow(): void {
    const { hosts, nowNs } = this.#world;
    const before = this.#domain;
    const now = domainOf(hosts, before);
    this.#domain = now;
    if (!before || !now || before === now) return;
    const jumpNs = domainNsAt(now, nowNs) - domainNsAt(before, nowNs);
    const passed = now.reference !== before.reference || now.rawZeroNs !== before.rawZeroNs;
    // The heir's line stood within its own bound of domain time; so did those of all others.
    const bounds = hosts.filter((h) => h.alive).map((h) => this.#past[h.index].lineBoundNs);
    const heirNs = Math.max(0, ...bounds.filter((b) => Number.isFinite(b)));
    // A reference that had not heard of the last rates takes them up: its own bound says how much.
    const ownNs = this.#past[now.reference.index].lineBoundNs;
    const limitNs = passed || now.term !== before.term ? PASS_NS + heirNs : ROUNDING_NS + ownNs;
    if (Math.abs(jumpNs) > limitNs) {
      const from = passed ? ` from ${before.reference.id}` : "";
      this.#tell(
        now.reference,
        "jump",
        `domain time jumps by ${ns(jumpNs)}${from}, limit ${ns(limitNs)}`,
      );
    }
  }

  #isLiar(host: SimHost): boolean {
    const { options, nowNs } = this.#world;
    return options.lies.some((l) => l.host === host.index && nowNs >= l.atS * SECOND_NS);
  }

  #tell(host: SimHost, rule: OracleRule, text: string): void {
    this.count++;
    const { nowNs, options } = this.#world;
    const key = `${host.index} ${rule}`;
    const toldNs = this.#told.get(key) ?? Number.NEGATIVE_INFINITY;
    this.#told.set(key, nowNs);
    if (nowNs - toldNs < SAME_NS || this.violations.length >= TOLD_MAX) return;
    const { seed } = options;
    this.violations.push({ seed, atS: nowNs / SECOND_NS, host: host.id, rule, text });
  }
}

const newPast = (): Past => ({
  lockedInLife: false,
  lockedInBoot: false,
  stepsEarned: 0,
  disturbedNs: Number.NEGATIVE_INFINITY,
  slewedNs: Number.NEGATIVE_INFINITY,
  systemNs: 0,
  foreignStepNs: 0,
  ownStepNs: 0,
  term: 0n,
  termSinceNs: 0,
  lineBoundNs: Number.POSITIVE_INFINITY,
  lockedNs: Number.NEGATIVE_INFINITY,
});

/** A span of time in words: ns up to 10 us, then us, then ms. */
function ns(value: number): string {
  const size = Math.abs(value);
  if (!(size >= 1e4)) return `${value.toFixed(1)} ns`;
  return size < 1e7 ? `${(value / 1e3).toFixed(1)} us` : `${(value / 1e6).toFixed(3)} ms`;
}
