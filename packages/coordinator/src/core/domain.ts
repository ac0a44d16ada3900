/**
 * One domain of the coordinator: events in, actions out.
 *
 * Agents join (`roster.ts`), are dealt neighbours (`dealer.ts`) and told them (`assigner.ts`). Reports arrive;
 * when it is time (`round-timing.ts`) the round is solved (`solve.ts`), and each host gets its own correction
 * (`correction-message.ts`) or hears why there is none (`notices.ts`). The clock, the streams and the log
 * are the shell's; everything here is a function of the events and of the times that come with them.
 */
import { type AgentMessage, type Header, type Hello, HostState, type Report } from "@ttcs/protocol";
import { addNs, FIT_AGE_NS, ROUND_NS } from "@ttcs/units";
import { Assigner } from "./assigner.ts";
import { Comeback } from "./comeback.ts";
import { correctionFor, type SharedByRound } from "./correction-message.ts";
import { Dealer, isSamePlace, isSameRun } from "./dealer.ts";
import type { DomainOptions, ServerTime } from "./domain-options.ts";
import { roundOf } from "./domain-scale.ts";
import { FitBook, type MeshFit } from "./fits.ts";
import { lazyReach } from "./holding.ts";
import type { Host } from "./host.ts";
import { cleanReport } from "./inputs.ts";
import type { DomainMemory } from "./memory.ts";
import { MINIMUM_HOSTS, Notices } from "./notices.ts";
import { type Action, Outbox } from "./outbox.ts";
import { KeyDealer } from "./probe-keys.ts";
import type { Reach } from "./reach.ts";
import type { Region } from "./region.ts";
import { sharedOf } from "./region-corrections.ts";
import { Regions } from "./regions.ts";
import { FORGET_AFTER_MS, Roster } from "./roster.ts";
import { RoundTiming } from "./round-timing.ts";

/** A domain begins this long after its first host came, so that the best one is among them (ms). */
const START_GRACE_MS = 1_500;

/** See the module head. */
export class DomainCore {
  readonly #outbox: Outbox;
  readonly #roster = new Roster();
  readonly #dealer: Dealer;
  readonly #assigner: Assigner;
  readonly #regions: Regions;
  readonly #fits = new FitBook();
  readonly #notices: Notices;
  readonly #comeback: Comeback;
  readonly #options: DomainOptions;
  #firstHelloMs = Number.NaN;
  readonly #timing = new RoundTiming();
  /** Hosts whose certificate has ended and that still lead. */
  readonly #expelled = new Set<Host>();
  #lastClose: { unixNs: bigint; monotonicMs: number } | undefined;

  constructor(options: DomainOptions) {
    const outbox = new Outbox(options.domain, options.term);
    this.#outbox = outbox;
    this.#options = options;
    this.#comeback = new Comeback(options.memory, this.#roster);
    this.#dealer = new Dealer(options);
    const { deriveProbeKey } = options;
    this.#regions = new Regions(this.#roster.hosts, (level, text) => outbox.log(level, text));
    this.#notices = new Notices(this.#roster, this.#regions, outbox);
    this.#assigner = new Assigner({
      roster: this.#roster,
      dealer: this.#dealer,
      regions: this.#regions,
      outbox,
      keys: deriveProbeKey && new KeyDealer(deriveProbeKey),
    });
  }

  /** This leadership goes on in a later term. */
  lead(term: bigint): void {
    this.#outbox.lead(term);
  }

  /** What the next coordinator has to know. */
  get memory(): DomainMemory {
    const { gateways } = this.#dealer;
    return this.#comeback.memory({
      ...this.#regions.toMemory(),
      gateways,
      round: this.#outbox.round,
    });
  }

  /** A message of the agent on stream `connection`. */
  handleMessage(connection: number, message: AgentMessage, now: ServerTime): Action[] {
    this.#restore(now);
    if (message.body.case === "hello") {
      this.#hello(connection, message.header, message.body.value, now);
    } else if (message.body.case === "report") {
      this.#report(connection, message.body.value, now);
    }
    return this.#outbox.take();
  }

  /** The stream has ended. */
  handleClose(connection: number, now: ServerTime): Action[] {
    const host = this.#roster.byConnection(connection);
    if (host) {
      this.#log("warn", `${host.id} has left`);
      this.#disconnect(host, now);
    }
    return this.#outbox.take();
  }

  /** Call some fifty times a second: deadlines, waiting hosts, hosts that stay away. */
  handleTick(now: ServerTime): Action[] {
    this.#restore(now);
    const { monotonicMs: nowMs } = now;
    if (this.#timing.isOverdue(nowMs)) this.#solve(now);
    // Between two rounds there is time; while reports come in there is not.
    if (this.#timing.isBetween) this.#regions.idle();
    this.#notices.tick(nowMs);
    const gone = this.#roster.forgetAbsent(this.#regions.reference, nowMs);
    for (const host of gone) {
      this.#log("warn", `${host.id} stayed away for ${FORGET_AFTER_MS / 1000} s: forgotten`);
    }
    this.#forget(gone, now);
    this.#takeOut(now);
    const isCalm = this.#timing.isCalm(nowMs);
    if (gone.length > 0 || (isCalm && this.#dealer.isDue(nowMs))) this.#deal(now);
    this.#assigner.tick(nowMs, isCalm);
    const known = () => this.#regions.whoLeads();
    if (isCalm && this.#comeback.isDue(known, nowMs)) this.#outbox.remember(this.memory);
    return this.#outbox.take();
  }

  /** The certificate of a host, by its SHA-256, has ended: the host is none of ours any more. */
  handleExpelled(certificateSha256: Uint8Array, now: ServerTime): Action[] {
    const host = this.#roster.byCertificate(certificateSha256);
    if (host) {
      this.#log("warn", `${host.id} has no certificate any more: it is taken out`);
      if (host.connection !== undefined) {
        this.#outbox.end(host.connection);
        this.#disconnect(host, now);
      }
      this.#expelled.add(host);
      this.#takeOut(now);
    }
    return this.#outbox.take();
  }

  /** Takes out the expelled; one that leads stays, without a stream, until another does. */
  #takeOut(now: ServerTime): void {
    const gone = [...this.#expelled].filter((h) => this.#regions.of(h)?.leadership.reference !== h);
    if (gone.length === 0) return;
    for (const host of gone) {
      this.#expelled.delete(host);
      this.#roster.remove(host);
    }
    this.#forget(gone, now);
    this.#deal(now);
  }

  #disconnect(host: Host, now: ServerTime): void {
    this.#roster.disconnect(host, now.monotonicMs);
    this.#timing.left(host);
    this.#solveWhenAllSaid(now);
  }

  /** What is known of hosts that are not in the roster any more is of no use. */
  #forget(gone: readonly Host[], now: ServerTime): void {
    for (const host of gone) {
      this.#fits.forget(host.number);
      this.#regions.of(host)?.forget(host);
      this.#notices.forget(host);
      this.#assigner.forget(host);
    }
    if (gone.length > 0) this.#regions.arrange(now.monotonicMs);
  }

  #hello(connection: number, header: Header | undefined, hello: Hello, now: ServerTime): void {
    this.#outbox.outrank(header?.term ?? 0n);
    const fault = this.#roster.whyNot(connection, hello, now.monotonicMs);
    if (fault) {
      this.#outbox.refuse(connection, fault);
      return;
    }
    const host = this.#roster.byId(hello.hostId) ?? this.#roster.admit(hello);
    const isAsBefore = isSamePlace(host.hello, hello);
    const isSameLife = isSameRun(host.hello, hello);
    if (host.hello.bootId !== hello.bootId) this.#rebooted(host, now);
    host.hello = hello;
    // Whoever greets has a certificate that is in force.
    this.#expelled.delete(host);
    this.#roster.connect(host, connection);
    if (this.#lastClose) this.#timing.joined(host);
    this.#regions.came(host, now.monotonicMs);
    if (Number.isNaN(this.#firstHelloMs)) this.#firstHelloMs = now.monotonicMs;
    const { clockQuality, managementAddress } = hello;
    this.#log("info", `${host.id} joined from ${managementAddress}, clock_quality ${clockQuality}`);
    this.#outbox.send(host, {
      case: "welcome",
      value: {
        hostNumber: host.number,
        serverUnixNs: this.#roundTime(now),
        coordinatorAddresses: [...(this.#options.coordinatorAddresses?.() ?? [])],
      },
    });
    this.#notices.told(host, now.monotonicMs);
    // Whoever comes back as he was has his neighbours still, and they have him.
    if (isAsBefore && this.#dealer.knows(host)) {
      this.#assigner.tell(host);
      if (!isSameLife) this.#assigner.tellAround(host);
    } else if (this.#dealer.noteNews(this.#roster.hosts.size)) this.#deal(now);
    this.#notices.waiting(now.monotonicMs);
  }

  #rebooted(host: Host, now: ServerTime): void {
    this.#log("warn", `${host.id} has booted: its raw clock starts anew`);
    this.#regions.rebooted(host, now.monotonicMs);
    host.report = undefined;
    this.#fits.forget(host.number);
  }

  #report(connection: number, report: Report, now: ServerTime): void {
    const host = this.#roster.byConnection(connection);
    if (!host) return;
    for (const fault of cleanReport(report)) this.#log("warn", `${host.id} sent ${fault}: ignored`);
    // Fits are kept by the book; a thousand hosts' reports would hold them for half a second more.
    host.report = { ...report, fits: [] };
    host.reportedAtMs = now.monotonicMs;
    this.#regions.takeSource(host, now.monotonicMs);
    const locked = report.state === HostState.LOCKED;
    if (!locked) host.lockedSinceMs = Number.NaN;
    else if (Number.isNaN(host.lockedSinceMs)) host.lockedSinceMs = now.monotonicMs;
    if (locked) this.#regions.noteLocked(host);
    const refused = this.#fits.take(report.fits, host.number, this.#dealer.dealt, now.monotonicMs);
    if (refused.length > 0) this.#log("warn", `refused of ${host.id}: ${refused.join("; ")}`);
    const { connectedCount } = this.#roster;
    if (this.#timing.take(host, connectedCount, now.monotonicMs)) this.#solveWhenAllSaid(now);
  }

  #solveWhenAllSaid(now: ServerTime): void {
    if (this.#timing.haveAllSaid(this.#roster.connectedCount)) this.#solve(now);
  }

  #solve(now: ServerTime): void {
    const { metered } = this.#options;
    if (metered) metered(() => this.#solveRound(now));
    else this.#solveRound(now);
  }

  #solveRound(now: ServerTime): void {
    const { connected } = this.#roster;
    this.#timing.solved(connected, now.monotonicMs);
    if (connected.length < MINIMUM_HOSTS) return;
    // Let all agents find a coordinator that has just started, before it chooses among them.
    const isYoung = now.monotonicMs - this.#firstHelloMs < START_GRACE_MS;
    if (isYoung && !this.#comeback.isComplete) return;
    const fits = this.#fits.fresh(now.monotonicMs);
    const { anchors } = this.#dealer;
    const { paced, changed } = this.#regions.solve(fits, anchors, now.monotonicMs);
    if (changed) this.#dealer.noteChange();
    for (const { hold, connected } of this.#regions.all) {
      if (hold) this.#notices.hold(connected, hold, now.monotonicMs);
    }
    if (paced) this.#correct(paced, fits, now);
  }

  #correct(paced: Region, fits: readonly MeshFit[], now: ServerTime): void {
    const { monotonicMs: nowMs } = now;
    const { scale, reference, sources } = paced.leadership;
    if (!scale || !reference || !paced.result) return;
    const closeRefRawNs = addNs(paced.result.atRefRawNs, FIT_AGE_NS);
    if (paced === this.#regions.home) {
      scale.advance(closeRefRawNs, sources.followed(reference), this.#regions.mayPullFar(nowMs));
    }
    this.#regions.follow();
    const closeUnixNs = scale.line().at(closeRefRawNs).unixNs;
    // The close is known to some tens of ms: round to the nearest, and never go back.
    this.#outbox.begin(roundOf(addNs(closeUnixNs, ROUND_NS / 2)));
    this.#lastClose = { unixNs: closeUnixNs, monotonicMs: nowMs };
    const ofDomain = this.#regions.ofDomain(nowMs);
    if (!ofDomain) return;
    const reach = lazyReach(fits);
    for (const region of this.#regions.all) {
      const shared = sharedOf(region, this.#regions, ofDomain, nowMs);
      if (shared) this.#correctRegion(region, shared, reach, nowMs);
    }
    this.#regions.home?.leadership.judgeSources(nowMs);
    const isNews = this.#regions.repair(this.#dealer, nowMs);
    // In a large domain this round's corrections would wait for it.
    if (isNews && this.#dealer.noteNews(this.#roster.hosts.size)) this.#deal(now);
  }

  #correctRegion(region: Region, shared: SharedByRound, reach: () => Reach, nowMs: number): void {
    const { trusted, reasons } = shared.result;
    const isReached = ({ number }: Host) => trusted.has(number) || reasons.has(number);
    const { connected, holding, members } = region;
    for (const host of connected.filter(isReached)) {
      const correction = correctionFor(host, shared);
      if (!correction) continue;
      this.#outbox.send(host, correction);
      this.#notices.told(host, nowMs);
    }
    const lost = connected.filter((h) => !isReached(h) && holding.mustHold(h, nowMs));
    const reasonFor = (host: Host) => holding.reasonFor(host, reach(), members);
    this.#notices.hold(lost, (host) => ({ reason: reasonFor(host) }), nowMs);
  }

  #restore(now: ServerTime): void {
    const { memory } = this.#options;
    if (!this.#comeback.restore(now.monotonicMs) || !memory) return;
    this.#outbox.resume(memory.round);
    this.#regions.fromMemory(memory, now.monotonicMs);
    this.#dealer.fromMemory(memory.gateways);
    this.#log("info", `${memory.hosts.length} hosts are remembered`);
  }

  #deal(now: ServerTime): void {
    const { ranked, isDoubted } = this.#regions;
    this.#dealer.deal(ranked, now.monotonicMs, this.#regions.barred(now.monotonicMs), isDoubted);
    this.#regions.retain(this.#dealer.dealt);
    this.#assigner.dealt();
  }

  /** What rounds count by: domain time once it exists, the server's clock before. */
  #roundTime(now: ServerTime): bigint {
    if (!this.#lastClose) return now.unixNs;
    const sinceMs = now.monotonicMs - this.#lastClose.monotonicMs;
    return this.#lastClose.unixNs + BigInt(Math.round(sinceMs * 1e6));
  }

  #log(level: "info" | "warn", text: string): void {
    this.#outbox.log(level, text);
  }
}
