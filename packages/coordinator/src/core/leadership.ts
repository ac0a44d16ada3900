/**
 * Who leads a domain and where domain time lies on the leader's raw clock.
 *
 * Reference, scale and all tracks belong together: a track is against the reference's raw clock, the
 * scale is on it. So they change together, here and nowhere else. When the lead passes on, all three
 * begin anew with the next solve, and domain time goes on where the agents hold it: each reports the
 * line that it was given, which is the prediction of the moment before.
 *
 * The lead passes on when the reference is gone, when it reaches no majority of the anchors while
 * another side has one, when its raw clock or its source is found wrong (`demote`), and back to a host of
 * higher clock_quality that has proved itself (`probation.ts`). Among equals it never passes back.
 */
import { type DomainSegment, FAR_PULL_SILENCE_S, SILENT_AFTER_S } from "@ttcs/discipline";
import type { RawNanos } from "@ttcs/units";
import type { AnchorSet } from "./anchors.ts";
import { DomainScale } from "./domain-scale.ts";
import type { MeshFit } from "./fits.ts";
import { heldByMost } from "./held-line.ts";
import { connectedHosts, type Host } from "./host.ts";
import { type Loss, PROOF_MS, Probation } from "./probation.ts";
import { Reach } from "./reach.ts";
import {
  chooseReference,
  REFERENCE_GRACE_MS,
  rankHeirs,
  rankHosts,
  referenceReason,
} from "./reference.ts";
import { Sources } from "./sources.ts";

/** A reference that a majority of the anchors joins again is solved from within this (ms): three rounds. */
const BACK_MS = 1_500;
/** Filters know the course of their clocks this long after the lead has passed on (ms). */
const SETTLED_MS = 10_000;

/** What a coordinator that starts anew has to know; plain data. */
export interface LeadershipMemory {
  readonly referenceId: string;
  readonly losses: readonly Pick<Loss, "id" | "proofMs">[];
}

/** See the module head. */
export class Leadership {
  readonly #hosts: ReadonlyMap<number, Host>;
  readonly #anchors: AnchorSet;
  readonly #say: (level: "info" | "warn", text: string) => void;
  readonly sources: Sources;
  readonly #probation = new Probation();
  #reference: Host | undefined;
  #scale: DomainScale | undefined;
  #lockedOnce = false;
  /** Who led when this was remembered. */
  #rememberedId = "";
  /** Server's monotonic time at which domain time was taken over from somebody's line (ms). */
  #inheritedMs = Number.NEGATIVE_INFINITY;
  /** Server's monotonic times of the last solve that reached enough, and of the last passing (ms). */
  #usefulMs = Number.NaN;
  #passedMs = Number.NaN;
  /** Since when a reference that was of no use is among a majority of the anchors again (ms). */
  #backMs: number | undefined;
  /**
   * Where domain time begins on the reference's raw clock, in a region that follows another one;
   * undefined in the region that leads: there it begins at the reference's system clock.
   */
  beginsAt: ((atRefRawNs: RawNanos) => DomainSegment | undefined) | undefined;

  constructor(
    hosts: ReadonlyMap<number, Host>,
    anchors: AnchorSet,
    say: (level: "info" | "warn", text: string) => void,
  ) {
    this.#hosts = hosts;
    this.#anchors = anchors;
    this.#say = say;
    this.sources = new Sources(say);
  }

  get reference(): Host | undefined {
    return this.#reference;
  }

  get scale(): DomainScale | undefined {
    return this.#scale;
  }

  /** True once any host has been LOCKED. */
  get lockedOnce(): boolean {
    return this.#lockedOnce;
  }

  toMemory(): LeadershipMemory {
    return {
      referenceId: this.referenceId,
      losses: this.#probation.toMemory(),
    };
  }

  /** Id of who leads, or led when this was remembered; empty: nobody. */
  get referenceId(): string {
    return this.#reference?.id ?? this.#rememberedId;
  }

  /**
   * Goes on as another coordinator left off: the domain has been LOCKED, and who led before keeps the
   * lead if it comes back in time. Call when the remembered hosts are known.
   */
  fromMemory(memory: LeadershipMemory, nowMs: number): void {
    this.#probation.fromMemory(memory.losses, nowMs);
    this.#rememberedId = memory.referenceId;
    this.#lockedOnce ||= memory.referenceId !== "";
    this.#reference ??= [...this.#hosts.values()].find((h) => h.id === memory.referenceId);
    this.#usefulMs = nowMs;
    this.#passedMs = nowMs;
  }

  /** A host has told that it is LOCKED: from now on the lead is not changed without need. */
  noteLocked(): void {
    this.#lockedOnce = true;
  }

  /** The reference of this round. */
  lead(fits: readonly MeshFit[], nowMs: number): Host | undefined {
    const before = this.#reference;
    const awayMs = this.#awayMs(nowMs);
    const facts = { lockedOnce: this.#lockedOnce, awayMs };
    const heirs = this.#heirs(fits, awayMs, nowMs);
    const chosen = chooseReference(this.#hosts.values(), before, { ...facts, heirs });
    if (chosen && chosen !== before) {
      if (before && this.#lockedOnce) this.#lose(before, awayWords(before, awayMs), nowMs);
      this.#pass(chosen, nowMs);
    } else if (before && awayMs === 0) this.#handBack(before, nowMs);
    return this.#reference;
  }

  /** A solve has brought tracks against the reference's clock; `enough`: to a majority of anchors. */
  solved(atRefRawNs: RawNanos, enough: boolean, nowMs: number): void {
    if (enough) this.#usefulMs = nowMs;
    if (!this.#scale) this.#begin(atRefRawNs, nowMs);
  }

  /** True when the tracks against this reference are old enough to tell a leap of its clock. */
  isSettled(nowMs: number): boolean {
    return this.#lockedOnce && nowMs - this.#passedMs > SETTLED_MS;
  }

  /** The reference's raw clock is found wrong: somebody else leads from the next round on. */
  demote(why: string, nowMs: number): void {
    const reference = this.#reference;
    if (!reference) return;
    const heir = this.#rankedHeirs(this.#hosts.values(), nowMs).find(
      (h) => h !== reference && h.track?.fix,
    );
    this.#say("warn", `${reference.id} demoted: ${why}`);
    if (!heir) return;
    this.#lose(reference, why, nowMs);
    this.#pass(heir, nowMs);
  }

  /** Looks at the sources; when the reference's is refused, a standby that has a good one leads. */
  judgeSources(nowMs: number): void {
    const reference = this.#reference;
    if (!reference) return;
    this.sources.judge(reference, this.#hosts.values(), nowMs);
    const why = this.sources.whyRefused(reference);
    if (why === undefined) return;
    const heir = this.#rankedHeirs(this.#hosts.values(), nowMs).find(
      (h) => h !== reference && h.track?.fix && this.#isGoodSource(h, nowMs),
    );
    if (!heir) return;
    this.#lose(reference, why, nowMs);
    this.#pass(heir, nowMs);
  }

  /**
   * True when nobody is missing who could still hold domain time: a far pull may begin. After an
   * inheritance the heirs do not know yet who else holds it.
   */
  mayPullFar(nowMs: number): boolean {
    if (nowMs - this.#inheritedMs < FAR_PULL_SILENCE_S * 1000) return false;
    return [...this.#hosts.values()].every((host) => {
      const silentS = (nowMs - host.reportedAtMs) / 1000;
      return !(silentS > SILENT_AFTER_S && silentS < FAR_PULL_SILENCE_S + SILENT_AFTER_S);
    });
  }

  /** The raw clock of a host has a new zero. Call before its track is taken away. */
  rebooted(host: Host, nowMs: number): void {
    this.sources.forget(host);
    if (host !== this.#reference) {
      host.track = undefined;
      return;
    }
    const heir = this.#rankedHeirs(this.#hosts.values(), nowMs).find(
      (h) => h !== host && h.track?.fix,
    );
    this.#lose(host, "it has booted", nowMs);
    if (heir) this.#pass(heir, nowMs);
    else this.#drop();
  }

  /** For how long the reference has been of no use (ms). */
  #awayMs(nowMs: number): number {
    const host = this.#reference;
    if (!host) return 0;
    if (host.connection === undefined) return nowMs - host.disconnectedAtMs;
    const awayMs = Number.isNaN(this.#usefulMs) ? 0 : nowMs - this.#usefulMs;
    // Rounds are half a second apart.
    return awayMs < REFERENCE_GRACE_MS / 2 ? 0 : awayMs;
  }

  /** Who could lead, best first; undefined: nobody is asked for yet. */
  #heirs(fits: readonly MeshFit[], awayMs: number, nowMs: number): Host[] | undefined {
    if (!this.#lockedOnce) return undefined;
    if (!this.#reference) {
      const ranked = this.#rankedHeirs(connectedHosts(this.#hosts.values()), nowMs);
      return ranked.sort((a, b) => Number(this.#led(b)) - Number(this.#led(a)));
    }
    if (awayMs < REFERENCE_GRACE_MS) {
      this.#backMs = undefined;
      return undefined;
    }
    if (!this.#anchors.isFrozen) return this.#rankedHeirs(this.#hosts.values(), nowMs);
    const side = new Reach(fits).majoritySide(this.#anchors, this.#hosts);
    // A side without a majority has no reference of its own: whoever led, leads.
    if (!side || this.#isBack(side, nowMs)) return [this.#reference];
    return this.#rankedHeirs(side, nowMs);
  }

  /**
   * True while the reference that was out of reach of a majority is among one again, and no solve from
   * it has had the time to show it: where no side had a majority nobody else shall lead for that.
   */
  #isBack(side: readonly Host[], nowMs: number): boolean {
    if (!side.includes(this.#reference!)) this.#backMs = undefined;
    else this.#backMs ??= nowMs;
    return this.#backMs !== undefined && nowMs - this.#backMs < BACK_MS;
  }

  #led(host: Host): boolean {
    return host.id === this.#rememberedId;
  }

  #rankedHeirs(hosts: Iterable<Host>, nowMs: number): Host[] {
    return rankHeirs(connectedHosts(hosts), {
      isOnProbation: (h) => this.#probation.isOnProbation(h.id, nowMs),
      hasGoodSource: (h) => this.#isGoodSource(h, nowMs),
      isAnchor: (h) => this.#anchors.has(h),
    });
  }

  #isGoodSource(host: Host, nowMs: number, forMs = 0): boolean {
    return this.sources.isGood(host, nowMs, forMs) && this.sources.agreesWithUtc(host, nowMs);
  }

  /** A host of higher clock_quality that has proved itself takes the lead. */
  #handBack(reference: Host, nowMs: number): void {
    if (!this.#lockedOnce || !(nowMs - this.#passedMs >= PROOF_MS)) return;
    const better = rankHosts(connectedHosts(this.#hosts.values())).find(
      (h) =>
        h.hello.clockQuality > reference.hello.clockQuality && this.#isProved(h, reference, nowMs),
    );
    if (!better) return;
    const proofS = this.#probation.proofMs(better.id) / 1000;
    this.#say("info", `${better.id} has proved itself for ${proofS} s`);
    this.#pass(better, nowMs);
  }

  #isProved(host: Host, reference: Host, nowMs: number): boolean {
    const proofMs = this.#probation.proofMs(host.id);
    if (!(nowMs - host.lockedSinceMs >= proofMs) || !host.track?.fix) return false;
    if (this.#probation.isOnProbation(host.id, nowMs)) return false;
    // A clock that somebody else steers must be good; one that we steer is no match for a source.
    if (!host.hello.correctClock) return this.#isGoodSource(host, nowMs, proofMs);
    return !this.sources.hasSource(reference);
  }

  #lose(host: Host, why: string, nowMs: number): void {
    const proofS = this.#probation.lost(host.id, nowMs) / 1000;
    this.#say(
      "warn",
      `${host.id} has lost the lead: ${why}; it leads again after ${proofS} s of proof`,
    );
  }

  #pass(to: Host, nowMs: number): void {
    this.#drop();
    this.#reference = to;
    this.#usefulMs = nowMs;
    this.#passedMs = nowMs;
    this.#say("info", `reference is ${to.id}: ${referenceReason(to, this.#hosts.values())}`);
  }

  #drop(): void {
    this.#reference = undefined;
    this.#scale = undefined;
    for (const host of this.#hosts.values()) host.track = undefined;
  }

  /**
   * Domain time begins where most hosts still hold it, the reference's line first; else at the reference's
   * system clock. A coordinator that starts anew must not begin another time.
   */
  #begin(atRefRawNs: RawNanos, nowMs: number): void {
    const reference = this.#reference!;
    const ranked = [reference, ...rankHosts(connectedHosts(this.#hosts.values()))];
    const held = heldByMost(ranked, reference, atRefRawNs);
    if (held) {
      this.#say("info", `domain time goes on from the line that ${held.holder.id} holds`);
      this.#inheritedMs = nowMs;
      this.#scale = new DomainScale([held.segment], held.excessPpb);
      return;
    }
    if (this.beginsAt) {
      const segment = this.beginsAt(atRefRawNs);
      if (segment) this.#scale = new DomainScale([segment]);
      return;
    }
    const source = reference.report?.source;
    if (!source) return;
    this.#say("info", `domain time begins at the system clock of ${reference.id}`);
    if (!source.synchronised || source.steered) {
      this.#say("warn", `reference ${reference.id} has no time source: UTC is free-running`);
    }
    this.#scale = DomainScale.from(source);
  }
}

const awayWords = (host: Host, awayMs: number): string =>
  host.connection === undefined
    ? `it has been away for ${(awayMs / 1000).toFixed(1)} s`
    : `no majority of the anchors was reached from it for ${(awayMs / 1000).toFixed(1)} s`;
