/**
 * One domain of the coordinator: events in, actions out.
 *
 * Agents join and are dealt neighbours, reports arrive, and as soon as every connected host has
 * reported (or 100 ms after the first report of the round) the round is solved and each host gets
 * its own correction. The clock, the streams and the log are the shell's; everything here is a
 * function of the events and of the times that come with them.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { FAR_PULL_LIMIT_PPB } from "@ttcs/discipline";
import { EdgeBias, EdgeCourt } from "@ttcs/estimator";
import {
  type AgentMessage,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  type Header,
  type Hello,
  HostState,
  type Report,
} from "@ttcs/protocol";
import { addNs, FIT_AGE_NS, type RawNanos, ROUND_NS } from "@ttcs/units";
import { composeSegments, hostRawAt } from "./correction.ts";
import { type DomainScale, roundOf } from "./domain-scale.ts";
import { FitBook } from "./fits.ts";
import { connectedHosts, type Host } from "./host.ts";
import { cleanReport } from "./inputs.ts";
import { Leadership } from "./leadership.ts";
import { dealMesh, type Edge, pairKey } from "./mesh.ts";
import { rankHosts } from "./reference.ts";
import { RoundWorkspace } from "./round-workspace.ts";
import { type RoundResult, solveRound } from "./solve.ts";

/** Fewer hosts than this cannot outvote a wrong one: nothing is steered. */
export const MINIMUM_HOSTS = 3;
/** A round is solved this long after its first report at the latest (ms). */
const SOLVE_DEADLINE_MS = 100;
/** A domain begins this long after its first host came, so that the best one is among them (ms). */
const START_GRACE_MS = 1_500;
/** A host that reported within this is there; reports come twice a second (ms). */
const ALIVE_MS = 2_000;
/** Terms are seconds since 1970: ten years ahead is a mistake or an attack. */
const TERM_JUMP_LIMIT = 315_360_000n;
/** Reports that come this soon after a solve are late for it, not early for the next (ms). */
const LATE_MS = 300;
/** In a domain of so many hosts a deal takes a while: those who join at once are dealt in together, */
const DEAL_TOGETHER_FROM = 100;
/** at most this often (ms). */
const DEAL_EVERY_MS = 200;
/** Hosts that wait are told so this often (ms). */
const WAITING_EVERY_MS = 1_000;
/** A host that stays away this long is dealt no neighbours any more (ms). */
const FORGET_AFTER_MS = 60_000;
/** A correction is fresh for this long after its window closed (ns). */
const VALID_FOR_NS = 2 * 1e9;

/** The times that come with an event. */
export interface ServerTime {
  /** Monotonic (ms). */
  readonly monotonicMs: number;
  /** The server's own civil time (Unix ns); rounds count by it until domain time exists. */
  readonly unixNs: bigint;
}

/** Domain time and its source run apart by less than this (ppb): the largest pull, and as much again. */
const SOURCE_PACE_PPB = 2 * FAR_PULL_LIMIT_PPB;

/** What the corrections of one round have in common. */
interface Shared {
  readonly reference: Host;
  readonly scale: DomainScale;
  readonly result: RoundResult;
  readonly heirBoundNs: number;
  readonly now: ServerTime;
}

/** What the shell is asked to do. */
export type Action =
  | { readonly kind: "send"; readonly connection: number; readonly message: CoordinatorMessage }
  | { readonly kind: "end"; readonly connection: number }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly text: string };

/** How a domain is set up. */
export interface DomainOptions {
  readonly domain: string;
  /** Fencing number of this leadership. */
  readonly term: bigint;
  /** Coded pairs per second on each directed edge. */
  readonly pairsPerSecond: number;
  /** Seed of the random part of the mesh. */
  readonly meshSeed: number;
  /** Neighbours of a host, about; absent: the mesh's own number. */
  readonly neighbours?: number;
}

type Body = MessageInitShape<typeof CoordinatorMessageSchema>["body"];

/** See the module head. */
export class DomainCore {
  readonly #options: DomainOptions;
  readonly #hosts = new Map<number, Host>();
  readonly #fits = new FitBook();
  readonly #court = new EdgeCourt();
  readonly #bias = new EdgeBias();
  readonly #workspace = new RoundWorkspace();
  #term: bigint;
  #round = 0n;
  #nextNumber = 1;
  readonly #leadership = new Leadership(this.#hosts, (level, text) => this.#log(level, text));
  #edges: readonly Edge[] = [];
  #dealt: ReadonlySet<string> = new Set();
  /** Server's monotonic time of the last deal, and whether somebody has come since (ms). */
  #dealtMs = -Infinity;
  #dealDue = false;
  #firstHelloMs = Number.NaN;
  #firstReportMs = Number.NaN;
  #solvedMs = -Infinity;
  readonly #reported = new Set<number>();
  #waitingToldMs = -Infinity;
  #lastClose: { unixNs: bigint; monotonicMs: number } | undefined;
  #actions: Action[] = [];

  constructor(options: DomainOptions) {
    this.#options = options;
    this.#term = options.term;
  }

  /** A message of the agent on stream `connection`. */
  handleMessage(connection: number, message: AgentMessage, now: ServerTime): Action[] {
    if (message.body.case === "hello") {
      this.#hello(connection, message.header, message.body.value, now);
    } else if (message.body.case === "report") {
      this.#report(connection, message.body.value, now);
    }
    return this.#take();
  }

  /** The stream has ended. */
  handleClose(connection: number, now: ServerTime): Action[] {
    const host = this.#byConnection(connection);
    if (host) {
      host.connection = undefined;
      host.disconnectedAtMs = now.monotonicMs;
      host.lockedSinceMs = Number.NaN;
      this.#log("warn", `${host.id} has left`);
    }
    return this.#take();
  }

  /** Call some fifty times a second: deadlines, waiting hosts, hosts that stay away. */
  handleTick(now: ServerTime): Action[] {
    if (now.monotonicMs - this.#firstReportMs >= SOLVE_DEADLINE_MS) this.#solve(now);
    // Between two rounds there is time; while reports come in there is not.
    if (Number.isNaN(this.#firstReportMs)) this.#workspace.idle();
    if (now.monotonicMs - this.#waitingToldMs >= WAITING_EVERY_MS) this.#tellWaiting(now);
    const gone = [...this.#hosts.values()].filter(
      (h) =>
        now.monotonicMs - h.disconnectedAtMs > FORGET_AFTER_MS && h !== this.#leadership.reference,
    );
    for (const host of gone) {
      this.#hosts.delete(host.number);
      this.#fits.forget(host.number);
      this.#log("warn", `${host.id} stayed away for ${FORGET_AFTER_MS / 1000} s: forgotten`);
    }
    const due = this.#dealDue && now.monotonicMs - this.#dealtMs >= DEAL_EVERY_MS;
    if (gone.length > 0 || due) this.#deal(now);
    return this.#take();
  }

  #hello(connection: number, header: Header | undefined, hello: Hello, now: ServerTime): void {
    this.#outrank(header?.term ?? 0n);
    const alone = this.#byConnection(connection);
    const namesake = [...this.#hosts.values()].find((h) => h.id === hello.hostId);
    const fault = alone
      ? `this stream has joined as "${alone.id}" already`
      : helloFault(hello, namesake && this.#isAlive(namesake, now) ? namesake : undefined);
    if (fault) {
      this.#refuse(connection, fault);
      return;
    }
    const host = namesake ?? this.#admit(hello);
    if (host.hello.bootId !== hello.bootId) this.#rebooted(host, now);
    host.hello = hello;
    host.connection = connection;
    host.disconnectedAtMs = Number.NaN;
    if (Number.isNaN(this.#firstHelloMs)) this.#firstHelloMs = now.monotonicMs;
    const { clockQuality, managementAddress } = hello;
    this.#log("info", `${host.id} joined from ${managementAddress}, clock_quality ${clockQuality}`);
    this.#send(host, {
      case: "welcome",
      value: { hostNumber: host.number, serverUnixNs: this.#roundTime(now) },
    });
    this.#dealDue = true;
    if (this.#hosts.size < DEAL_TOGETHER_FROM) this.#deal(now);
    this.#tellWaiting(now);
  }

  /** An agent has seen a later term than ours: go beyond it, unless it is absurd. */
  #outrank(term: bigint): void {
    if (term <= this.#term) return;
    if (term - this.#term > TERM_JUMP_LIMIT) this.#log("warn", `term ${term} is not believed`);
    else this.#term = term + 1n;
  }

  /** A host that has reported just now on a stream of its own is no victim of a restart. */
  #isAlive(host: Host, now: ServerTime): boolean {
    return host.connection !== undefined && now.monotonicMs - host.reportedAtMs < ALIVE_MS;
  }

  #admit(hello: Hello): Host {
    const number = this.#nextNumber++;
    const host: Host = {
      id: hello.hostId,
      number,
      joinOrder: number,
      hello,
      connection: undefined,
      disconnectedAtMs: Number.NaN,
      report: undefined,
      reportedAtMs: Number.NaN,
      lockedSinceMs: Number.NaN,
      track: undefined,
    };
    this.#hosts.set(number, host);
    return host;
  }

  #rebooted(host: Host, now: ServerTime): void {
    this.#log("warn", `${host.id} has booted: its raw clock starts anew`);
    this.#leadership.rebooted(host, now.monotonicMs);
    host.report = undefined;
    this.#fits.forget(host.number);
  }

  #report(connection: number, report: Report, now: ServerTime): void {
    const host = this.#byConnection(connection);
    if (!host) return;
    for (const fault of cleanReport(report)) this.#log("warn", `${host.id} sent ${fault}: ignored`);
    host.report = report;
    host.reportedAtMs = now.monotonicMs;
    const locked = report.state === HostState.LOCKED;
    if (!locked) host.lockedSinceMs = Number.NaN;
    else if (Number.isNaN(host.lockedSinceMs)) host.lockedSinceMs = now.monotonicMs;
    if (locked) this.#leadership.noteLocked();
    const refused = this.#fits.take(report.fits, host.number, this.#dealt, now.monotonicMs);
    if (refused.length > 0) this.#log("warn", `refused of ${host.id}: ${refused.join("; ")}`);
    // A late report's fits wait for the next round: no round is solved twice.
    if (now.monotonicMs - this.#solvedMs < LATE_MS) return;
    if (this.#reported.size === 0) this.#firstReportMs = now.monotonicMs;
    this.#reported.add(host.number);
    if (this.#reported.size >= connectedHosts(this.#hosts.values()).length) this.#solve(now);
  }

  #solve(now: ServerTime): void {
    this.#firstReportMs = Number.NaN;
    this.#solvedMs = now.monotonicMs;
    this.#reported.clear();
    const connected = connectedHosts(this.#hosts.values());
    if (connected.length < MINIMUM_HOSTS) return;
    // Let all agents find a coordinator that has just started, before it chooses among them.
    if (now.monotonicMs - this.#firstHelloMs < START_GRACE_MS) return;
    const reference = this.#leadership.lead(now.monotonicMs);
    if (!reference) return;
    const fits = this.#fits.fresh(now.monotonicMs);
    const result = solveRound(reference, this.#hosts, fits, {
      court: this.#court,
      bias: this.#bias,
      workspace: this.#workspace,
    });
    if (!result) return;
    this.#leadership.solved(result.atRefRawNs, now.monotonicMs);
    const { scale } = this.#leadership;
    if (!scale) return;

    const closeRefRawNs = addNs(result.atRefRawNs, FIT_AGE_NS);
    const mayPullFar = this.#leadership.mayPullFar(now.monotonicMs);
    scale.advance(closeRefRawNs, reference.report?.source, mayPullFar);
    const closeUnixNs = scale.line().at(closeRefRawNs).unixNs;
    // The close is known to some tens of ms: round to the nearest, and never go back.
    const round = roundOf(addNs(closeUnixNs, ROUND_NS / 2));
    this.#round = round > this.#round ? round : this.#round + 1n;
    this.#lastClose = { unixNs: closeUnixNs, monotonicMs: now.monotonicMs };
    const shared = {
      reference,
      scale,
      result,
      heirBoundNs: heirBoundNs(connected, reference),
      now,
    };
    for (const host of connected) this.#correct(host, shared);
  }

  #correct(host: Host, { reference, scale, result, heirBoundNs, now }: Shared): void {
    const fix = host.track?.fix;
    if (!host.track || !fix) return;
    const isReference = host === reference;
    const rawAt = (refRawNs: RawNanos) => hostRawAt(host.track!, isReference, refRawNs);
    const source = reference.report?.source;
    // A source that was heard of a while ago may have been left by as much as domain time runs off.
    const unheardNs = (now.monotonicMs - reference.reportedAtMs) * 1e-3 * SOURCE_PACE_PPB;
    this.#send(host, {
      case: "correction",
      value: {
        segments: composeSegments(host.track, isReference, scale, result.atRefRawNs),
        solvedRawNs: rawAt(fix.atRefRawNs),
        windowCloseRawNs: rawAt(addNs(fix.atRefRawNs, FIT_AGE_NS)),
        offsetSigmaNs: Math.hypot(fix.offsetSigmaNs, fix.slowSigmaNs),
        freqSigmaPpb: fix.freqSigmaPpb,
        freqRateSigmaPpbPerS: fix.freqRateSigmaPpbPerS,
        boundNs: fix.boundNs,
        validForNs: VALID_FOR_NS,
        trusted: result.trusted.has(host.number),
        reason: result.reasons.get(host.number) ?? reachReason(result, host),
        referenceHostId: reference.id,
        isReference,
        referencePullNs: scale.pullNs,
        referenceMaxErrorNs: (source?.maxErrorNs ?? 0) + Math.max(0, unheardNs),
        referenceHasSource: source?.synchronised === true && !source.steered,
        edgeCount: fix.edgeCount,
        residualRmsNs: fix.residualRmsNs,
        edges: [...(result.edges.get(host.number) ?? [])],
        farPull: scale.farPull,
        heirBoundNs,
      },
    });
  }

  #deal(now: ServerTime): void {
    this.#dealDue = false;
    this.#dealtMs = now.monotonicMs;
    const ranked = rankHosts(this.#hosts.values());
    this.#edges = dealMesh(
      ranked.map((h) => h.number),
      this.#options.meshSeed,
      this.#edges,
      this.#options.neighbours,
    );
    this.#dealt = new Set(this.#edges.map((e) => pairKey(e.a, e.b)));
    this.#court.retain(this.#dealt);
    for (const host of connectedHosts(this.#hosts.values())) this.#sendAssignment(host);
  }

  #sendAssignment(host: Host): void {
    const mine = this.#edges.filter((e) => e.a === host.number || e.b === host.number);
    const neighbours = mine.map((edge) => {
      const other = this.#hosts.get(edge.a === host.number ? edge.b : edge.a)!;
      const { probeAddress, probePort, managementAddress, agentPort } = other.hello;
      return {
        hostId: other.id,
        hostNumber: other.number,
        probeAddress,
        probePort,
        managementAddress,
        agentPort,
        owner: edge.owner === host.number,
      };
    });
    const { pairsPerSecond } = this.#options;
    this.#send(host, { case: "assignment", value: { neighbours, pairsPerSecond } });
  }

  #tellWaiting(now: ServerTime): void {
    this.#waitingToldMs = now.monotonicMs;
    const connected = connectedHosts(this.#hosts.values());
    if (connected.length >= MINIMUM_HOSTS) return;
    const value = { haveHosts: connected.length, needHosts: MINIMUM_HOSTS };
    for (const host of connected) this.#send(host, { case: "waiting", value });
  }

  /** What rounds count by: domain time once it exists, the server's clock before. */
  #roundTime(now: ServerTime): bigint {
    if (!this.#lastClose) return now.unixNs;
    const sinceMs = now.monotonicMs - this.#lastClose.monotonicMs;
    return this.#lastClose.unixNs + BigInt(Math.round(sinceMs * 1e6));
  }

  #byConnection(connection: number): Host | undefined {
    for (const host of this.#hosts.values()) if (host.connection === connection) return host;
    return undefined;
  }

  #refuse(connection: number, reason: string): void {
    this.#log("warn", `refused a stream: ${reason}`);
    this.#sendTo(connection, { case: "refusal", value: { reason } });
    this.#actions.push({ kind: "end", connection });
  }

  #send(host: Host, body: NonNullable<Body>): void {
    if (host.connection !== undefined) this.#sendTo(host.connection, body);
  }

  #sendTo(connection: number, body: NonNullable<Body>): void {
    const header = { domain: this.#options.domain, term: this.#term, round: this.#round };
    const message = create(CoordinatorMessageSchema, { header, body });
    this.#actions.push({ kind: "send", connection, message });
  }

  #log(level: "info" | "warn", text: string): void {
    this.#actions.push({ kind: "log", level, text: `domain ${this.#options.domain}: ${text}` });
  }

  #take(): Action[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}

/** The largest bound among those who could lead next: domain time would go on from their line (ns). */
function heirBoundNs(connected: readonly Host[], reference: Host): number {
  const heirs = connected.filter((h) => h !== reference && h.track?.fix);
  return heirs.reduce((worst, h) => Math.max(worst, h.track!.fix!.boundNs), 0);
}

function reachReason(result: RoundResult, host: Host): string {
  return result.trusted.has(host.number) ? "" : "no trusted edge reached this host";
}

/** Why this host cannot join; `living` is the host of the same name that is there already. */
function helloFault(hello: Hello, living: Host | undefined): string | undefined {
  if (hello.hostId === "") return "host_id is empty; set it in the agent's configuration";
  if (!living) return undefined;
  const from = living.hello.managementAddress;
  return `"${living.id}" has joined from ${from} already; give each host its own host_id`;
}
