/**
 * One domain of the coordinator: events in, actions out.
 *
 * Agents join (`roster.ts`) and are dealt neighbours (`dealer.ts`), reports arrive, and as soon as every
 * connected host that reports at all has (or 100 ms after the first report of the round, later while others
 * still come in) the round is solved (`solve.ts`) and each host gets its own correction (`correction-message.ts`). The clock, the streams
 * and the log are the shell's; everything here is a function of the events and of the times that come
 * with them.
 */
import { type AgentMessage, type Header, type Hello, HostState, type Report } from "@ttcs/protocol";
import { addNs, FIT_AGE_NS, ROUND_NS } from "@ttcs/units";
import { Comeback } from "./comeback.ts";
import { correctionFor, type SharedByRound } from "./correction-message.ts";
import { Dealer, isLargeDomain, isSamePlace, isSameRun } from "./dealer.ts";
import type { DomainOptions, ServerTime } from "./domain-options.ts";
import { roundOf } from "./domain-scale.ts";
import { FitBook, type MeshFit } from "./fits.ts";
import { lazyReach } from "./holding.ts";
import type { Host } from "./host.ts";
import { cleanReport } from "./inputs.ts";
import type { DomainMemory } from "./memory.ts";
import { MuteHosts } from "./mute-hosts.ts";
import { type Action, Outbox } from "./outbox.ts";
import { KeyDealer } from "./probe-keys.ts";
import type { Reach } from "./reach.ts";
import type { Region, Told } from "./region.ts";
import { sharedOf } from "./region-corrections.ts";
import { Regions } from "./regions.ts";
import { copyAlarms, FORGET_AFTER_MS, Roster } from "./roster.ts";
import { RoundTurn } from "./round-turn.ts";
import { Silence } from "./silence.ts";
import { ToldAssignments } from "./told-assignments.ts";

/** Fewer hosts than this cannot outvote a wrong one: nothing is steered. */
export const MINIMUM_HOSTS = 3;
/** A round is solved this long after its first report, though some have said nothing (ms), */
const SOLVE_AFTER_MS = 100;
/** unless another came this short ago (ms): a busy server has not read all that are there; */
const STILL_COMING_MS = 10;
/** but no later than this (ms). */
const SOLVE_AT_LATEST_MS = 250;
/** A domain begins this long after its first host came, so that the best one is among them (ms). */
const START_GRACE_MS = 1_500;
/** Reports that come this soon after a solve are late for it, not early for the next (ms). */
const LATE_MS = 300;
/** For so long after a solve no report of the next round is near; without rounds none ever is (ms). */
const CALM_MS = 250;
const ROUNDS_STOPPED_MS = 1_000;
/** In a large domain so many hosts are told their neighbours at a beat. */
const TOLD_AT_ONCE = 32;
/** Hosts that wait are told so this often (ms). */
const WAITING_EVERY_MS = 1_000;

/** See the module head. */
export class DomainCore {
  readonly #outbox: Outbox;
  readonly #roster = new Roster();
  readonly #dealer: Dealer;
  readonly #told = new ToldAssignments();
  readonly #keys: KeyDealer | undefined;
  /** Hosts that are to be told of neighbours or keys, if there is anything new about them. */
  readonly #toTell = new Set<Host>();
  readonly #regions: Regions;
  readonly #fits = new FitBook();
  readonly #silence = new Silence();
  readonly #comeback: Comeback;
  readonly #options: DomainOptions;
  #firstHelloMs = Number.NaN;
  #firstReportMs = Number.NaN;
  #lastReportMs = Number.NaN;
  #solvedMs = -Infinity;
  readonly #reported = new Set<number>();
  readonly #turn = new RoundTurn();
  readonly #mute = new MuteHosts();
  /** Hosts whose certificate has ended and that still lead. */
  readonly #expelled = new Set<Host>();
  #waitingToldMs = -Infinity;
  #lastClose: { unixNs: bigint; monotonicMs: number } | undefined;

  constructor(options: DomainOptions) {
    const outbox = new Outbox(options.domain, options.term);
    this.#outbox = outbox;
    this.#options = options;
    this.#comeback = new Comeback(options.memory, this.#roster);
    this.#dealer = new Dealer(options);
    const { deriveProbeKey } = options;
    this.#keys = deriveProbeKey && new KeyDealer(deriveProbeKey);
    this.#regions = new Regions(this.#roster.hosts, (level, text) => outbox.log(level, text));
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
    if (this.#isOverdue(now.monotonicMs)) this.#solve(now);
    // Between two rounds there is time; while reports come in there is not.
    if (Number.isNaN(this.#firstReportMs)) this.#regions.idle();
    if (now.monotonicMs - this.#waitingToldMs >= WAITING_EVERY_MS) this.#tellWaiting(now);
    this.#breakSilence(now);
    const gone = this.#roster.forgetAbsent(this.#regions.reference, now.monotonicMs);
    for (const host of gone) {
      this.#log("warn", `${host.id} stayed away for ${FORGET_AFTER_MS / 1000} s: forgotten`);
    }
    this.#forget(gone, now);
    this.#takeOut(now);
    const isDue = this.#dealer.isDue(now.monotonicMs) && this.#isCalm(now.monotonicMs);
    if (gone.length > 0 || isDue) this.#deal(now);
    this.#tellAssignments(now);
    const known = () => this.#regions.whoLeads();
    const isCalm = this.#isCalm(now.monotonicMs);
    if (isCalm && this.#comeback.isDue(known, now.monotonicMs)) this.#outbox.remember(this.memory);
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
    // A report of somebody who is gone must not stand for one that is still to come.
    this.#reported.delete(host.number);
    this.#mute.spoke(host);
    this.#solveWhenAllSaid(now);
  }

  /** What is known of hosts that are not in the roster any more is of no use. */
  #forget(gone: readonly Host[], now: ServerTime): void {
    for (const host of gone) {
      this.#fits.forget(host.number);
      this.#regions.of(host)?.forget(host);
      this.#silence.forget(host);
      this.#toTell.delete(host);
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
    if (this.#lastClose) this.#mute.joined(host);
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
    this.#silence.broke(host, now.monotonicMs);
    // Whoever comes back as he was has his neighbours still, and they have him.
    if (isAsBefore && this.#dealer.knows(host)) {
      this.#assign(host);
      if (!isSameLife) this.#rekeyAround(host);
    } else if (this.#dealer.noteNews(this.#roster.hosts.size)) this.#deal(now);
    this.#tellWaiting(now);
  }

  /** A host's agent has started anew: its neighbours have to know the keys that it was dealt. */
  #rekeyAround(host: Host): void {
    for (const { host: other } of this.#dealer.neighboursOf(host, this.#roster.hosts)) {
      if (other.connection !== undefined) this.#assign(other);
    }
  }

  /** New keys, and what is new after a deal in a large domain, are told by and by, between two rounds. */
  #tellAssignments(now: ServerTime): void {
    if (this.#keys?.look(now.monotonicMs)) this.#toldLater(this.#roster.connected);
    if (this.#toTell.size === 0 || !this.#isCalm(now.monotonicMs)) return;
    let left = TOLD_AT_ONCE;
    for (const host of this.#toTell) {
      this.#toTell.delete(host);
      if (host.connection !== undefined && this.#assign(host) && --left === 0) return;
    }
  }

  /** Hosts that wait already keep their place, but those who know no neighbours at all come first. */
  #toldLater(hosts: readonly Host[]): void {
    const waiting = [...this.#toTell, ...hosts];
    this.#toTell.clear();
    for (const host of waiting) if (!this.#told.knows(host)) this.#toTell.add(host);
    for (const host of waiting) this.#toTell.add(host);
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
    this.#mute.spoke(host);
    this.#regions.takeSource(host, now.monotonicMs);
    const locked = report.state === HostState.LOCKED;
    if (!locked) host.lockedSinceMs = Number.NaN;
    else if (Number.isNaN(host.lockedSinceMs)) host.lockedSinceMs = now.monotonicMs;
    if (locked) this.#regions.noteLocked(host);
    const refused = this.#fits.take(report.fits, host.number, this.#dealer.dealt, now.monotonicMs);
    if (refused.length > 0) this.#log("warn", `refused of ${host.id}: ${refused.join("; ")}`);
    // A late report's fits wait for the next round: no round is solved twice.
    if (now.monotonicMs - this.#solvedMs < LATE_MS && this.#reported.size === 0) {
      const early = this.#turn.takeEarly(host.number, this.#roster.connectedCount);
      if (!early) return;
      for (const number of early) this.#reported.add(number);
      this.#firstReportMs = now.monotonicMs;
    }
    if (this.#reported.size === 0) this.#firstReportMs = now.monotonicMs;
    // Whoever repeats himself keeps nobody waiting.
    if (!this.#reported.has(host.number)) this.#lastReportMs = now.monotonicMs;
    this.#reported.add(host.number);
    this.#solveWhenAllSaid(now);
  }

  /** True when those who have not reported yet are waited for no longer. */
  #isOverdue(nowMs: number): boolean {
    const sinceMs = nowMs - this.#firstReportMs;
    const isReading = nowMs - this.#lastReportMs < STILL_COMING_MS;
    return sinceMs >= (isReading ? SOLVE_AT_LATEST_MS : SOLVE_AFTER_MS);
  }

  /** True right after a round: what takes a while is done then, or the reports of the next one wait for it. */
  #isCalm(nowMs: number): boolean {
    const sinceMs = nowMs - this.#solvedMs;
    return Number.isNaN(this.#firstReportMs) && (sinceMs < CALM_MS || sinceMs > ROUNDS_STOPPED_MS);
  }

  #solveWhenAllSaid(now: ServerTime): void {
    const { size } = this.#reported;
    if (size > 0 && size >= this.#roster.connectedCount - this.#mute.count) this.#solve(now);
  }

  #solve(now: ServerTime): void {
    const { metered } = this.#options;
    if (metered) metered(() => this.#solveRound(now));
    else this.#solveRound(now);
  }

  #solveRound(now: ServerTime): void {
    this.#firstReportMs = Number.NaN;
    this.#solvedMs = now.monotonicMs;
    this.#turn.solved(this.#reported);
    this.#reported.clear();
    const connected = this.#roster.connected;
    this.#mute.look(connected, now.monotonicMs);
    if (connected.length < MINIMUM_HOSTS) return;
    // Let all agents find a coordinator that has just started, before it chooses among them.
    const isYoung = now.monotonicMs - this.#firstHelloMs < START_GRACE_MS;
    if (isYoung && !this.#comeback.isComplete) return;
    const fits = this.#fits.fresh(now.monotonicMs);
    const { anchors } = this.#dealer;
    const { paced, changed } = this.#regions.solve(fits, anchors, now.monotonicMs);
    if (changed) this.#dealer.noteChange();
    for (const { hold, connected } of this.#regions.all) {
      if (hold) this.#hold(connected, hold, now.monotonicMs);
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
      this.#silence.broke(host, nowMs);
    }
    const lost = connected.filter((h) => !isReached(h) && holding.mustHold(h, nowMs));
    const reasonFor = (host: Host) => holding.reasonFor(host, reach(), members);
    this.#hold(lost, (host) => ({ reason: reasonFor(host) }), nowMs);
  }

  #restore(now: ServerTime): void {
    const { memory } = this.#options;
    if (!this.#comeback.restore(now.monotonicMs) || !memory) return;
    this.#outbox.resume(memory.round);
    this.#regions.fromMemory(memory, now.monotonicMs);
    this.#dealer.fromMemory(memory.gateways);
    this.#log("info", `${memory.hosts.length} hosts are remembered`);
  }

  /** Hosts that wait are told so elsewhere; the others hold over. */
  #breakSilence(now: ServerTime): void {
    if (this.#roster.connectedCount < MINIMUM_HOSTS) return;
    if (!this.#silence.mayBeOver(now.monotonicMs)) return;
    const { connected } = this.#roster;
    const reason = "the coordinator has no correction for this host yet";
    for (const host of this.#silence.over(connected, now.monotonicMs)) {
      this.#outbox.send(host, { case: "hold", value: { reason } });
    }
  }

  /** Tells hosts to hold over, and why; whom `say` has nothing for is told nothing. */
  #hold(hosts: readonly Host[], say: (host: Host) => Told | undefined, nowMs: number): void {
    const ofAll = this.#regions.alarms;
    for (const host of hosts) {
      const told = say(host);
      if (!told) continue;
      const { reason, alarms = [] } = told;
      this.#outbox.send(host, {
        case: "hold",
        value: { reason, alarms: [...ofAll, ...alarms, ...copyAlarms(host, nowMs)] },
      });
      this.#silence.broke(host, nowMs);
    }
  }

  #deal(now: ServerTime): void {
    const { ranked, isDoubted } = this.#regions;
    this.#dealer.deal(ranked, now.monotonicMs, this.#regions.barred(now.monotonicMs), isDoubted);
    this.#regions.retain(this.#dealer.dealt);
    if (isLargeDomain(this.#roster.hosts.size)) this.#toldLater(this.#roster.connected);
    else for (const host of this.#roster.connected) this.#assign(host);
  }

  /** Tells a host its neighbours, unless it knows. @returns true: it was told */
  #assign(host: Host): boolean {
    const reference = this.#regions.of(host)?.leadership.reference;
    const neighbours = this.#dealer.neighboursOf(host, this.#roster.hosts);
    if (!this.#told.isNews(host, reference, neighbours, this.#keys?.generation)) return false;
    this.#outbox.send(host, this.#dealer.assignment(host, neighbours, reference, this.#keys));
    return true;
  }

  #tellWaiting(now: ServerTime): void {
    this.#waitingToldMs = now.monotonicMs;
    if (this.#roster.connectedCount >= MINIMUM_HOSTS) return;
    const connected = this.#roster.connected;
    const value = { haveHosts: connected.length, needHosts: MINIMUM_HOSTS };
    for (const host of connected) this.#outbox.send(host, { case: "waiting", value });
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
