/**
 * The sources of a domain: which hosts have one of their own, and whether the reference's is followed.
 *
 * Each unsteered clock is watched against its own raw clock (`source-watch.ts`). What that finds is
 * weighed by the others: each tells how far its source is from domain time, so all can be compared. A
 * reference whose clock moves towards them has been put right and is followed; one that moves away
 * from them, or of which nobody else can say anything, is not. Without any misdeed a source is refused
 * when it is further from most of the others, two at least, than both its maxerror and theirs allow.
 *
 * While a source is in doubt or refused domain time keeps its pace, and UTC is within what was known
 * last, growing. A refused source is taken back when it has been steady for a minute and agrees with what
 * is known of UTC, or with most of the other sources. One that was set to another time agrees with neither
 * and stays refused: a leap second that a lone source takes as a step of 1 s is not followed, nor is an
 * hour.
 *
 * It cannot see: an error that all sources share.
 */
import { grownBoundNs } from "@ttcs/discipline";
import type { SourceLine } from "@ttcs/protocol";
import type { Host } from "./host.ts";
import { PROOF_MS } from "./probation.ts";
import { SourceWatch, signedTime } from "./source-watch.ts";

/** Readings of other sources count when these have been steady for so long (ms). */
const WITNESS_MS = 20_000;
/** A source that may err by more than this is no good beside any other (ns). */
const GOOD_ERROR_NS = 100e6;
/** Out of the others' bounds for so many rounds: not an accident of one reading. */
const APART_ROUNDS = 3;

/** What is known of UTC by way of the reference. */
export interface UtcStanding {
  /** False: UTC is free-running. */
  readonly hasSource: boolean;
  /** Domain time is within this of UTC, beside the pull (ns); it grows while there is no source. */
  readonly maxErrorNs: number;
}

/** See the module head. Hosts by id; times are the server's monotonic clock. */
export class Sources {
  readonly #watches = new Map<string, SourceWatch>();
  readonly #refused = new Map<string, string>();
  readonly #say: (level: "info" | "warn", text: string) => void;
  #apartRounds = 0;
  /** Domain time to UTC when the source was last followed (ns), and when that was (ms). */
  #knownNs = Number.POSITIVE_INFINITY;
  #knownMs = Number.NaN;

  constructor(say: (level: "info" | "warn", text: string) => void) {
    this.#say = say;
  }

  /** Takes the source line of a host's newest report. */
  take(host: Host, isReference: boolean, hosts: Iterable<Host>, nowMs: number): void {
    const watch = this.#watches.get(host.id) ?? new SourceWatch();
    this.#watches.set(host.id, watch);
    const misdeed = watch.take(host.report?.source, nowMs);
    if (!misdeed) return;
    const deed = `its clock ${misdeed.words}`;
    const witnesses = this.#witnesses(host, hosts, nowMs);
    const away = witnesses.filter((w) => {
      const apartNs = offsetNs(host)! - offsetNs(w)!;
      return Math.abs(apartNs) >= Math.abs(apartNs - misdeed.byNs);
    });
    if (offsetNs(host) !== undefined && 2 * away.length < witnesses.length) {
      this.#say("info", `${host.id}: ${deed}, towards ${of(witnesses, away)}: put right`);
      return;
    }
    const against =
      witnesses.length > 0 ? `${away.length} of ${witnesses.length} standbys` : "its own raw clock";
    this.#refuse(host, isReference, `${deed} against ${against}`);
  }

  /** A host's raw clock has a new zero, or the host is forgotten. */
  forget(host: Host): void {
    this.#watches.delete(host.id);
  }

  /** Looks at all sources once a round. */
  judge(reference: Host, hosts: Iterable<Host>, nowMs: number): void {
    const all = [...hosts];
    for (const host of all) {
      if (this.#refused.has(host.id) && this.#mayReturn(host, all, nowMs)) {
        this.#refused.delete(host.id);
        this.#say(
          "info",
          `the source of ${host.id} has been steady for ${PROOF_MS / 1000} s: good again`,
        );
      }
    }
    const apart = this.#apartFrom(reference, all, nowMs);
    this.#apartRounds = apart === undefined ? 0 : this.#apartRounds + 1;
    if (this.#apartRounds >= APART_ROUNDS) this.#refuse(reference, true, apart!);
  }

  /** Why the source of a host is not followed; undefined: it is, or there is none. */
  whyRefused(host: Host): string | undefined {
    return this.#refused.get(host.id);
  }

  /** What an operator should know of the reference's source. */
  alarms(reference: Host): string[] {
    const alarms = [...this.#refused].map(([id, why]) => `${id} demoted: ${why}`);
    if (this.#refused.has(reference.id)) {
      alarms.push("no host has a source that is followed: UTC is free-running");
    }
    return alarms;
  }

  /** True for a host with a source that is not refused, in doubt or not. */
  hasSource(host: Host): boolean {
    return sourceOf(host)?.synchronised === true && !this.#refused.has(host.id);
  }

  /** True for a source that has been good for so long. */
  isGood(host: Host, nowMs: number, forMs = 0): boolean {
    const source = sourceOf(host);
    if (!source?.synchronised || this.#refused.has(host.id)) return false;
    if (source.maxErrorNs > GOOD_ERROR_NS) return false;
    const watch = this.#watches.get(host.id);
    return watch !== undefined && !watch.inDoubt && watch.steadyForMs(nowMs) >= forMs;
  }

  /** True when the source does not contradict what is known of UTC. */
  agreesWithUtc(host: Host, nowMs: number): boolean {
    const offNs = offsetNs(host);
    const source = sourceOf(host);
    if (offNs === undefined || !source) return false;
    return Math.abs(offNs) <= this.#utcBoundNs(nowMs) + source.maxErrorNs;
  }

  /** The line that domain time follows in this round; undefined: it keeps its pace. */
  followed(reference: Host): SourceLine | undefined {
    const source = sourceOf(reference);
    if (!source || this.#refused.has(reference.id)) return undefined;
    return this.#watches.get(reference.id)?.inDoubt ? undefined : source;
  }

  /** What may be said of UTC in this round; `pullNs` is domain time minus the reference's clock. */
  utc(reference: Host, pullNs: number, nowMs: number): UtcStanding {
    const source = sourceOf(reference);
    const hasSource = this.hasSource(reference);
    if (hasSource && source && this.followed(reference)) {
      this.#knownNs = Math.abs(pullNs) + source.maxErrorNs;
      this.#knownMs = nowMs;
      return { hasSource, maxErrorNs: source.maxErrorNs };
    }
    if (Number.isNaN(this.#knownMs))
      return { hasSource: false, maxErrorNs: source?.maxErrorNs ?? 0 };
    return { hasSource, maxErrorNs: this.#utcBoundNs(nowMs) };
  }

  #refuse(host: Host, isReference: boolean, why: string): void {
    const isNews = !this.#refused.has(host.id);
    this.#refused.set(host.id, why);
    this.#apartRounds = 0;
    if (!isNews) return;
    this.#say("warn", `${host.id} ${isReference ? "demoted" : "is no source any more"}: ${why}`);
  }

  /** Other hosts with a steady source of which it is known where it stands. */
  #witnesses(host: Host, hosts: Iterable<Host>, nowMs: number): Host[] {
    return [...hosts].filter(
      (h) =>
        h !== host &&
        h.connection !== undefined &&
        offsetNs(h) !== undefined &&
        this.isGood(h, nowMs, WITNESS_MS),
    );
  }

  #apartFrom(reference: Host, hosts: Iterable<Host>, nowMs: number): string | undefined {
    const hereNs = offsetNs(reference);
    if (hereNs === undefined || !this.isGood(reference, nowMs)) return undefined;
    const witnesses = this.#witnesses(reference, hosts, nowMs);
    const apart = witnesses.filter((w) => !agree(reference, w));
    if (apart.length < 2 || 2 * apart.length <= witnesses.length) return undefined;
    const farNs = median(apart.map((w) => hereNs - offsetNs(w)!));
    return `its clock is ${signedTime(farNs)} from ${of(apart, [])}`;
  }

  #mayReturn(host: Host, hosts: readonly Host[], nowMs: number): boolean {
    const source = sourceOf(host);
    const watch = this.#watches.get(host.id);
    if (!source?.synchronised || !watch || watch.steadyForMs(nowMs) < PROOF_MS) return false;
    if (watch.inDoubt || offsetNs(host) === undefined) return false;
    const others = hosts.filter(
      (h) =>
        h !== host &&
        h.connection !== undefined &&
        sourceOf(h)?.synchronised &&
        offsetNs(h) !== undefined &&
        (this.#watches.get(h.id)?.steadyForMs(nowMs) ?? 0) >= WITNESS_MS,
    );
    const agreeing = others.filter((h) => agree(host, h));
    if (others.length > 0) return 2 * agreeing.length > others.length;
    return this.agreesWithUtc(host, nowMs);
  }

  #utcBoundNs(nowMs: number): number {
    if (Number.isNaN(this.#knownMs)) return Number.POSITIVE_INFINITY;
    return grownBoundNs(this.#knownNs, 0, (nowMs - this.#knownMs) / 1000);
  }
}

/** The source of a host that has one: a clock that our own discipline writes is none. */
function sourceOf(host: Host): SourceLine | undefined {
  const source = host.report?.source;
  return source && !source.steered ? source : undefined;
}

/** System clock minus domain time (ns), of a host that knows it. */
function offsetNs({ report }: Host): number | undefined {
  if (!report?.line || !Number.isFinite(report.boundNs)) return undefined;
  return Number.isFinite(report.offsetNs) ? report.offsetNs : undefined;
}

/** True when two sources are no further apart than both may err. */
function agree(a: Host, b: Host): boolean {
  const apartNs = Math.abs(offsetNs(a)! - offsetNs(b)!);
  return apartNs <= sourceOf(a)!.maxErrorNs + sourceOf(b)!.maxErrorNs;
}

const of = (all: readonly Host[], but: readonly Host[]): string =>
  `${all.length - but.length} of ${all.length} standbys`;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
