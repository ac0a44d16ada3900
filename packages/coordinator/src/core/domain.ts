/**
 * One domain of the coordinator: events in, actions out.
 *
 * Agents join (`roster.ts`) and are dealt neighbours (`dealer.ts`), reports arrive, and as soon as every
 * connected host has reported (or 100 ms after the first report of the round) the round is solved
 * (`solve.ts`) and each host gets its own correction (`correction-message.ts`). The clock, the streams
 * and the log are the shell's; everything here is a function of the events and of the times that come
 * with them.
 */
import { EdgeBias, EdgeCourt } from "@ttcs/estimator";
import { type AgentMessage, type Header, type Hello, HostState, type Report } from "@ttcs/protocol";
import { addNs, FIT_AGE_NS, ROUND_NS } from "@ttcs/units";
import { AnchorSet } from "./anchors.ts";
import { Comeback } from "./comeback.ts";
import { correctionFor, heirBoundNs } from "./correction-message.ts";
import { Dealer, type DealOptions } from "./dealer.ts";
import { roundOf } from "./domain-scale.ts";
import { FitBook, type MeshFit } from "./fits.ts";
import { Holding, lazyReach, minorityReason } from "./holding.ts";
import type { Host } from "./host.ts";
import { cleanReport } from "./inputs.ts";
import { Leadership } from "./leadership.ts";
import { LeapWatch } from "./leap-watch.ts";
import type { DomainMemory } from "./memory.ts";
import { MeshGuard } from "./mesh-guard.ts";
import { type Action, Outbox } from "./outbox.ts";
import { FORGET_AFTER_MS, Roster } from "./roster.ts";
import { RoundTurn } from "./round-turn.ts";
import { RoundWorkspace } from "./round-workspace.ts";
import { Silence } from "./silence.ts";
import { type RoundResult, solveRound } from "./solve.ts";
import { ToldAssignments } from "./told-assignments.ts";

/** Fewer hosts than this cannot outvote a wrong one: nothing is steered. */
export const MINIMUM_HOSTS = 3;
/** A round is solved this long after its first report at the latest (ms). */
const SOLVE_DEADLINE_MS = 100;
/** A domain begins this long after its first host came, so that the best one is among them (ms). */
const START_GRACE_MS = 1_500;
/** Reports that come this soon after a solve are late for it, not early for the next (ms). */
const LATE_MS = 300;
/** Hosts that wait are told so this often (ms). */
const WAITING_EVERY_MS = 1_000;

/** The times that come with an event. */
export interface ServerTime {
  /** Monotonic (ms). */
  readonly monotonicMs: number;
  /** The server's own civil time (Unix ns); rounds count by it until domain time exists. */
  readonly unixNs: bigint;
}

/** How a domain is set up. */
export interface DomainOptions extends DealOptions {
  readonly domain: string;
  /** Fencing number of this leadership. */
  readonly term: bigint;
  /** What the coordinator before this one has left; absent: a domain that begins. */
  readonly memory?: DomainMemory;
  /** "host:port" of every server of this domain, the leader first; asked for with every welcome. */
  readonly coordinatorAddresses?: () => readonly string[];
}

/** See the module head. */
export class DomainCore {
  readonly #outbox: Outbox;
  readonly #roster = new Roster();
  readonly #dealer: Dealer;
  readonly #told = new ToldAssignments();
  readonly #leadership: Leadership;
  readonly #anchors = new AnchorSet();
  readonly #holding = new Holding(this.#anchors);
  readonly #leapWatch = new LeapWatch();
  readonly #fits = new FitBook();
  readonly #court = new EdgeCourt();
  readonly #bias = new EdgeBias();
  readonly #workspace = new RoundWorkspace();
  readonly #silence = new Silence();
  readonly #comeback: Comeback;
  readonly #options: DomainOptions;
  readonly #guard: MeshGuard;
  #firstHelloMs = Number.NaN;
  #firstReportMs = Number.NaN;
  #solvedMs = -Infinity;
  readonly #reported = new Set<number>();
  readonly #turn = new RoundTurn();
  #waitingToldMs = -Infinity;
  #lastClose: { unixNs: bigint; monotonicMs: number } | undefined;

  constructor(options: DomainOptions) {
    const outbox = new Outbox(options.domain, options.term);
    this.#outbox = outbox;
    this.#options = options;
    this.#comeback = new Comeback(options.memory, this.#roster);
    this.#dealer = new Dealer(options);
    const say = (level: "info" | "warn", text: string) => outbox.log(level, text);
    this.#leadership = new Leadership(this.#roster.hosts, this.#anchors, say);
    this.#guard = new MeshGuard(this.#roster.hosts, this.#workspace, say);
  }

  /** This leadership goes on in a later term. */
  lead(term: bigint): void {
    this.#outbox.lead(term);
  }

  /** What the next coordinator has to know. */
  get memory(): DomainMemory {
    const leadership = this.#leadership.toMemory();
    return this.#comeback.memory(leadership, this.#anchors.toMemory(), this.#outbox.round);
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
      this.#roster.disconnect(host, now.monotonicMs);
      // A report of somebody who is gone must not stand for one that is still to come.
      this.#reported.delete(host.number);
      this.#log("warn", `${host.id} has left`);
      this.#solveWhenAllSaid(now);
    }
    return this.#outbox.take();
  }

  /** Call some fifty times a second: deadlines, waiting hosts, hosts that stay away. */
  handleTick(now: ServerTime): Action[] {
    this.#restore(now);
    if (now.monotonicMs - this.#firstReportMs >= SOLVE_DEADLINE_MS) this.#solve(now);
    // Between two rounds there is time; while reports come in there is not.
    if (Number.isNaN(this.#firstReportMs)) this.#workspace.idle();
    if (now.monotonicMs - this.#waitingToldMs >= WAITING_EVERY_MS) this.#tellWaiting(now);
    this.#breakSilence(now);
    const gone = this.#roster.forgetAbsent(this.#leadership.reference, now.monotonicMs);
    for (const host of gone) {
      this.#fits.forget(host.number);
      this.#holding.forget(host);
      this.#leadership.sources.forget(host);
      this.#silence.forget(host);
      this.#log("warn", `${host.id} stayed away for ${FORGET_AFTER_MS / 1000} s: forgotten`);
    }
    if (gone.length > 0 || this.#dealer.isDue(now.monotonicMs)) this.#deal(now);
    const { referenceId } = this.#leadership;
    if (this.#comeback.isDue(referenceId, this.#anchors.toMemory(), now.monotonicMs)) {
      this.#outbox.remember(this.memory);
    }
    return this.#outbox.take();
  }

  #hello(connection: number, header: Header | undefined, hello: Hello, now: ServerTime): void {
    this.#outbox.outrank(header?.term ?? 0n);
    const fault = this.#roster.whyNot(connection, hello, now.monotonicMs);
    if (fault) {
      this.#outbox.refuse(connection, fault);
      return;
    }
    const host = this.#roster.byId(hello.hostId) ?? this.#roster.admit(hello);
    if (host.hello.bootId !== hello.bootId) this.#rebooted(host, now);
    host.hello = hello;
    this.#roster.connect(host, connection);
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
    if (this.#dealer.noteJoin(this.#roster.hosts.size)) this.#deal(now);
    this.#tellWaiting(now);
  }

  #rebooted(host: Host, now: ServerTime): void {
    this.#log("warn", `${host.id} has booted: its raw clock starts anew`);
    this.#leadership.rebooted(host, now.monotonicMs);
    host.report = undefined;
    this.#fits.forget(host.number);
  }

  #report(connection: number, report: Report, now: ServerTime): void {
    const host = this.#roster.byConnection(connection);
    if (!host) return;
    for (const fault of cleanReport(report)) this.#log("warn", `${host.id} sent ${fault}: ignored`);
    host.report = report;
    host.reportedAtMs = now.monotonicMs;
    const { hosts } = this.#roster;
    this.#leadership.sources.take(
      host,
      host === this.#leadership.reference,
      hosts.values(),
      now.monotonicMs,
    );
    const locked = report.state === HostState.LOCKED;
    if (!locked) host.lockedSinceMs = Number.NaN;
    else if (Number.isNaN(host.lockedSinceMs)) host.lockedSinceMs = now.monotonicMs;
    if (locked) this.#leadership.noteLocked();
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
    this.#reported.add(host.number);
    this.#solveWhenAllSaid(now);
  }

  #solveWhenAllSaid(now: ServerTime): void {
    const { size } = this.#reported;
    if (size > 0 && size >= this.#roster.connectedCount) this.#solve(now);
  }

  #solve(now: ServerTime): void {
    this.#firstReportMs = Number.NaN;
    this.#solvedMs = now.monotonicMs;
    this.#turn.solved(this.#reported);
    this.#reported.clear();
    const connected = this.#roster.connected;
    if (connected.length < MINIMUM_HOSTS) return;
    // Let all agents find a coordinator that has just started, before it chooses among them.
    const isYoung = now.monotonicMs - this.#firstHelloMs < START_GRACE_MS;
    if (isYoung && !this.#comeback.isComplete) return;
    const fits = this.#fits.fresh(now.monotonicMs);
    const before = this.#leadership.reference;
    const reference = this.#leadership.lead(fits, now.monotonicMs);
    if (reference !== before) this.#dealer.noteChange();
    if (!reference) return;
    const result = solveRound(reference, this.#roster.hosts, fits, {
      court: this.#court,
      bias: this.#bias,
      workspace: this.#workspace,
      anchors: this.#dealer.anchors,
    });
    if (result) this.#guard.note(result);
    const held = this.#mayNotSteer(reference, result, now.monotonicMs);
    if (held) this.#hold(connected, () => ({ reason: held }), now.monotonicMs);
    else if (result?.noConsensus) {
      this.#hold(connected, (host) => this.#guard.hold(host, result), now.monotonicMs);
    } else if (result && !this.#leaps(result, now.monotonicMs)) {
      this.#correct(reference, result, fits, now);
    }
  }

  /** Why nobody is steered in this round; undefined: those who are reached may be. */
  #mayNotSteer(reference: Host, result: RoundResult | undefined, nowMs: number) {
    const { hosts, connected } = this.#roster;
    const reached = this.#holding.reached(result, connected, nowMs);
    this.#anchors.noteReached(reached, nowMs);
    const view = this.#anchors.view(nowMs);
    // What contradicts itself is no ground to begin on.
    if (result && (!result.noConsensus || this.#leadership.scale)) {
      const enough = !view.size || this.#anchors.isMajority(this.#anchors.countOf(reached));
      this.#leadership.solved(result.atRefRawNs, enough, nowMs);
    }
    const { lockedOnce } = this.#leadership;
    const changes = this.#anchors.tend(hosts, reference, lockedOnce, nowMs);
    for (const change of changes) this.#log("info", change);
    if (changes.length > 0) this.#dealer.noteChange();
    const why = result
      ? minorityReason(view.present, view.size)
      : `the reference ${reference.id} is out of reach`;
    const reason = view.hasMajority ? undefined : why;
    const news = this.#holding.news(reason ?? "");
    if (news) this.#log(reason ? "warn" : "info", news);
    return reason;
  }

  /** True when this round shows the reference, not the others, to have left its course. */
  #leaps(result: RoundResult, nowMs: number): boolean {
    if (!this.#leadership.isSettled(nowMs)) return false;
    const { suspicious, proof } = this.#leapWatch.look(result);
    if (proof) this.#leadership.demote(proof, nowMs);
    return suspicious;
  }

  #correct(reference: Host, result: RoundResult, fits: readonly MeshFit[], now: ServerTime): void {
    const { monotonicMs: nowMs } = now;
    const { hosts, connected } = this.#roster;
    const { scale, sources } = this.#leadership;
    if (!scale) return;
    const closeRefRawNs = addNs(result.atRefRawNs, FIT_AGE_NS);
    scale.advance(closeRefRawNs, sources.followed(reference), this.#leadership.mayPullFar(nowMs));
    const closeUnixNs = scale.line().at(closeRefRawNs).unixNs;
    // The close is known to some tens of ms: round to the nearest, and never go back.
    this.#outbox.begin(roundOf(addNs(closeUnixNs, ROUND_NS / 2)));
    this.#lastClose = { unixNs: closeUnixNs, monotonicMs: nowMs };
    const shared = {
      reference,
      scale,
      result,
      heirBoundNs: heirBoundNs(connected, reference),
      utc: sources.utc(reference, scale.pullNs, nowMs),
      alarms: sources.alarms(reference),
      nowMs,
    };
    const isReached = ({ number }: Host) =>
      result.trusted.has(number) || result.reasons.has(number);
    for (const host of connected.filter(isReached)) {
      const correction = correctionFor(host, shared);
      if (!correction) continue;
      this.#outbox.send(host, correction);
      this.#silence.broke(host, nowMs);
    }
    const reach = lazyReach(fits);
    const lost = connected.filter((h) => !isReached(h) && this.#holding.mustHold(h, nowMs));
    const reasonFor = (host: Host) => this.#holding.reasonFor(host, reach(), hosts);
    this.#hold(lost, (host) => ({ reason: reasonFor(host) }), nowMs);
    this.#leadership.judgeSources(nowMs);
    if (this.#guard.repair(result, this.#dealer, nowMs)) this.#deal(now);
  }

  #restore(now: ServerTime): void {
    const { memory } = this.#options;
    if (!this.#comeback.restore(now.monotonicMs) || !memory) return;
    this.#outbox.resume(memory.round);
    this.#leadership.fromMemory(memory.leadership, now.monotonicMs);
    this.#anchors.fromMemory(memory.anchors);
    this.#log("info", `${memory.hosts.length} hosts are remembered`);
  }

  /** Hosts that wait are told so elsewhere; the others hold over. */
  #breakSilence(now: ServerTime): void {
    const { connected } = this.#roster;
    if (connected.length < MINIMUM_HOSTS) return;
    const reason = "the coordinator has no correction for this host yet";
    for (const host of this.#silence.over(connected, now.monotonicMs)) {
      this.#outbox.send(host, { case: "hold", value: { reason } });
    }
  }

  /** Tells hosts to hold over, and why; whom `say` has nothing for is told nothing. */
  #hold(
    hosts: readonly Host[],
    say: (host: Host) => { reason: string; alarms?: readonly string[] } | undefined,
    nowMs: number,
  ): void {
    const { reference, sources } = this.#leadership;
    const ofAll = reference ? sources.alarms(reference) : [];
    for (const host of hosts) {
      const told = say(host);
      if (!told) continue;
      const { reason, alarms = [] } = told;
      this.#outbox.send(host, { case: "hold", value: { reason, alarms: [...ofAll, ...alarms] } });
      this.#silence.broke(host, nowMs);
    }
  }

  #deal(now: ServerTime): void {
    const { hosts } = this.#roster;
    const { reference } = this.#leadership;
    const ranked = this.#anchors.ranked(hosts.values(), reference);
    const barred = this.#guard.barred(now.monotonicMs);
    this.#dealer.deal(ranked, now.monotonicMs, barred, this.#guard.isDoubted);
    this.#court.retain(this.#dealer.dealt);
    for (const host of this.#roster.connected) {
      const assignment = this.#dealer.assignment(host, hosts, reference);
      if (this.#told.isNews(host, assignment)) this.#outbox.send(host, assignment);
    }
  }

  #tellWaiting(now: ServerTime): void {
    this.#waitingToldMs = now.monotonicMs;
    const connected = this.#roster.connected;
    if (connected.length >= MINIMUM_HOSTS) return;
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
