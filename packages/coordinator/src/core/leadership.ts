/**
 * Who leads a domain and where domain time lies on the leader's raw clock.
 *
 * Reference, scale and all tracks belong together: a track is against the reference's raw clock, the
 * scale is on it. So they change together, here and nowhere else. When the lead passes on, all three
 * begin anew with the next solve, and domain time goes on where the agents hold it: each reports the
 * line that it was given, which is the prediction of the moment before.
 */
import {
  DomainLine,
  type DomainSegment,
  FAR_PULL_SILENCE_S,
  SILENT_AFTER_S,
} from "@ttcs/discipline";
import { diffNs, type RawNanos, rawNanos, unixNanos } from "@ttcs/units";
import { hostRawAt } from "./correction.ts";
import { DomainScale } from "./domain-scale.ts";
import { connectedHosts, type Host } from "./host.ts";
import { chooseReference, rankHosts, referenceReason } from "./reference.ts";

/** See the module head. */
export class Leadership {
  readonly #hosts: ReadonlyMap<number, Host>;
  readonly #say: (level: "info" | "warn", text: string) => void;
  #reference: Host | undefined;
  #scale: DomainScale | undefined;
  #lockedOnce = false;
  /** Server's monotonic time at which domain time was taken over from somebody's line (ms). */
  #inheritedMs = -Infinity;
  /** Server's monotonic time at which a solve last touched the reference (ms). */
  #touchedMs = Number.NaN;

  constructor(
    hosts: ReadonlyMap<number, Host>,
    say: (level: "info" | "warn", text: string) => void,
  ) {
    this.#hosts = hosts;
    this.#say = say;
  }

  get reference(): Host | undefined {
    return this.#reference;
  }

  get scale(): DomainScale | undefined {
    return this.#scale;
  }

  /** A host has told that it is LOCKED: from now on the lead is not changed without need. */
  noteLocked(): void {
    this.#lockedOnce = true;
  }

  /** The reference of this round. */
  lead(nowMs: number): Host | undefined {
    const before = this.#reference;
    const awayMs = this.#awayMs(nowMs);
    const chosen = chooseReference(this.#hosts.values(), before, this.#lockedOnce, awayMs);
    if (chosen && chosen !== before) this.#pass(chosen, nowMs);
    return this.#reference;
  }

  /** A solve has brought tracks against the reference's clock at `atRefRawNs`. */
  solved(atRefRawNs: RawNanos, nowMs: number): void {
    this.#touchedMs = nowMs;
    if (!this.#scale) this.#begin(atRefRawNs, nowMs);
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
    if (host !== this.#reference) {
      host.track = undefined;
      return;
    }
    const others = connectedHosts(this.#hosts.values()).filter((h) => h !== host);
    const heir = rankHosts(others).find((h) => h.track?.fix);
    if (heir) this.#pass(heir, nowMs);
    else this.#drop();
  }

  /** For how long the reference has been of no use (ms). */
  #awayMs(nowMs: number): number {
    const host = this.#reference;
    if (!host) return 0;
    if (host.connection === undefined) return nowMs - host.disconnectedAtMs;
    return Number.isNaN(this.#touchedMs) ? 0 : nowMs - this.#touchedMs;
  }

  #pass(to: Host, nowMs: number): void {
    this.#drop();
    this.#reference = to;
    this.#touchedMs = nowMs;
    this.#say("info", `reference is ${to.id}: ${referenceReason(to, this.#hosts.values())}`);
  }

  #drop(): void {
    this.#reference = undefined;
    this.#scale = undefined;
    for (const host of this.#hosts.values()) host.track = undefined;
  }

  /**
   * Domain time begins where a host still holds it, the reference first; else at the reference's
   * system clock. A coordinator that starts anew must not begin another time.
   */
  #begin(atRefRawNs: RawNanos, nowMs: number): void {
    const reference = this.#reference!;
    const holders = [reference, ...rankHosts(connectedHosts(this.#hosts.values()))];
    const holder = holders.find((h) => h.report?.line && h.track?.fix);
    if (holder) {
      this.#say("info", `domain time goes on from the line that ${holder.id} holds`);
      this.#inheritedMs = nowMs;
      this.#scale = new DomainScale([heldAt(holder, holder === reference, atRefRawNs)]);
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

/** Domain time on the reference's raw clock, by the line that a host holds on its own. */
function heldAt(holder: Host, isReference: boolean, atRefRawNs: RawNanos): DomainSegment {
  const line = holder.report!.line!;
  const track = holder.track!;
  const held = new DomainLine([
    {
      rawNs: rawNanos(line.rawNs),
      domainUnixNs: unixNanos(line.domainUnixNs),
      domainFractionNs: line.domainFractionNs,
      freqPpb: line.freqPpb,
    },
  ]);
  const at = held.at(hostRawAt(track, isReference, atRefRawNs));
  const atS = diffNs(atRefRawNs, track.referenceZeroNs) * 1e-9;
  const hostRate = isReference ? 1 : 1 + track.filter.predict(atS).freqPpb * 1e-9;
  return {
    rawNs: atRefRawNs,
    domainUnixNs: at.unixNs,
    domainFractionNs: at.fractionNs,
    freqPpb: ((1 + line.freqPpb * 1e-9) * hostRate - 1) * 1e9,
  };
}
