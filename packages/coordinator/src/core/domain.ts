/**
 * One domain of the coordinator: events in, actions out.
 *
 * Agents join and are dealt neighbours, reports arrive, and as soon as every connected host has
 * reported (or 100 ms after the first report of the round) the round is solved and each host gets
 * its own correction. The clock, the streams and the log are the shell's; everything here is a
 * function of the events and of the times that come with them.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type AgentMessage,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  type Header,
  type Hello,
  HostState,
  type Report,
} from "@ttcs/protocol";
import { addNs, type RawNanos, ROUND_NS, rawNanos, unixNanos, WINDOW_NS } from "@ttcs/units";
import { composeSegments, hostRawAt } from "./correction.ts";
import { DomainScale, roundOf } from "./domain-scale.ts";
import { FitBook } from "./fits.ts";
import { connectedHosts, type Host } from "./host.ts";
import { dealMesh, type Edge } from "./mesh.ts";
import { chooseReference, rankHosts, referenceReason } from "./reference.ts";
import { type RoundResult, solveRound } from "./solve.ts";
import { changeReference } from "./takeover.ts";

/** Fewer hosts than this cannot outvote a wrong one: nothing is steered. */
export const MINIMUM_HOSTS = 3;
/** A round is solved this long after its first report at the latest (ms). */
const SOLVE_DEADLINE_MS = 100;
/** Reports that come this soon after a solve are late for it, not early for the next (ms). */
const LATE_MS = 300;
/** Hosts that wait are told so this often (ms). */
const WAITING_EVERY_MS = 1_000;
/** A host that stays away this long is dealt no neighbours any more (ms). */
const FORGET_AFTER_MS = 60_000;
/** A correction is trusted for this long after its window closed (ns). */
const VALID_FOR_NS = 2 * 1e9;
/** The first correction steps clocks that are further away than this (ns). */
const STEP_THRESHOLD_NS = 1_000_000;

/** The times that come with an event. */
export interface ServerTime {
  /** Monotonic (ms). */
  readonly monotonicMs: number;
  /** The server's own civil time (Unix ns); rounds count by it until domain time exists. */
  readonly unixNs: bigint;
}

/** What the shell is asked to do. */
export type Action =
  | { readonly kind: "send"; readonly connection: number; readonly message: CoordinatorMessage }
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
}

type Body = MessageInitShape<typeof CoordinatorMessageSchema>["body"];

/** See the module head. */
export class DomainCore {
  readonly #options: DomainOptions;
  readonly #hosts = new Map<number, Host>();
  readonly #fits = new FitBook();
  #term: bigint;
  #round = 0n;
  #nextNumber = 1;
  #reference: Host | undefined;
  #scale: DomainScale | undefined;
  #edges: readonly Edge[] = [];
  #lockedOnce = false;
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
    if (now.monotonicMs - this.#waitingToldMs >= WAITING_EVERY_MS) this.#tellWaiting(now);
    const gone = [...this.#hosts.values()].filter(
      (h) => now.monotonicMs - h.disconnectedAtMs > FORGET_AFTER_MS && h !== this.#reference,
    );
    for (const host of gone) {
      this.#hosts.delete(host.number);
      this.#fits.forget(host.number);
      this.#log("warn", `${host.id} stayed away for ${FORGET_AFTER_MS / 1000} s: forgotten`);
    }
    if (gone.length > 0) this.#deal();
    return this.#take();
  }

  #hello(connection: number, header: Header | undefined, hello: Hello, now: ServerTime): void {
    if (header && header.term > this.#term) this.#term = header.term + 1n;
    const host = this.#admit(hello);
    if (host.connection !== undefined && host.connection !== connection) {
      this.#log("warn", `${host.id} joined again on a new stream; the older one is ignored`);
    }
    if (host.hello.bootId !== hello.bootId) this.#rebooted(host);
    host.hello = hello;
    host.connection = connection;
    host.disconnectedAtMs = Number.NaN;
    const { clockQuality, managementAddress } = hello;
    this.#log("info", `${host.id} joined from ${managementAddress}, clock_quality ${clockQuality}`);
    this.#send(host, {
      case: "welcome",
      value: { hostNumber: host.number, serverUnixNs: this.#roundTime(now) },
    });
    this.#deal();
    this.#tellWaiting(now);
  }

  #admit(hello: Hello): Host {
    for (const host of this.#hosts.values()) if (host.id === hello.hostId) return host;
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

  #rebooted(host: Host): void {
    this.#log("warn", `${host.id} has booted: its raw clock starts anew`);
    host.track = undefined;
    host.report = undefined;
    this.#fits.forget(host.number);
  }

  #report(connection: number, report: Report, now: ServerTime): void {
    const host = this.#byConnection(connection);
    if (!host) return;
    host.report = report;
    host.reportedAtMs = now.monotonicMs;
    const locked = report.state === HostState.LOCKED;
    if (!locked) host.lockedSinceMs = Number.NaN;
    else if (Number.isNaN(host.lockedSinceMs)) host.lockedSinceMs = now.monotonicMs;
    this.#lockedOnce ||= locked;
    for (const line of this.#fits.take(report.fits, host.number, now.monotonicMs)) {
      this.#log("warn", `refused ${line}`);
    }
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
    const reference = this.#lead(now);
    if (!reference) return;
    const result = solveRound(reference, this.#hosts, this.#fits.fresh(now.monotonicMs));
    if (!result) return;
    this.#scale ??= this.#beginDomain(reference);
    if (!this.#scale) return;

    const closeRefRawNs = addNs(result.atRefRawNs, WINDOW_NS / 2);
    this.#scale.advance(closeRefRawNs, reference.report?.source);
    const closeUnixNs = this.#scale.line().at(closeRefRawNs).unixNs;
    // The close is known to some tens of ms: round to the nearest, and never go back.
    const round = roundOf(addNs(closeUnixNs, ROUND_NS / 2));
    this.#round = round > this.#round ? round : this.#round + 1n;
    this.#lastClose = { unixNs: closeUnixNs, monotonicMs: now.monotonicMs };
    for (const host of connected) this.#correct(host, reference, this.#scale, result);
  }

  /** The reference of this round; says it aloud when it changes. */
  #lead(now: ServerTime): Host | undefined {
    const before = this.#reference;
    const chosen = chooseReference(this.#hosts.values(), before, this.#lockedOnce, now.monotonicMs);
    if (!chosen || chosen === before) return before;
    if (before && this.#scale) {
      const moved = changeReference(before, chosen, this.#hosts, this.#scale);
      if (!moved && this.#lockedOnce) return before;
      this.#scale = moved;
    }
    this.#reference = chosen;
    const why = referenceReason(chosen, this.#hosts.values());
    this.#log("info", `reference is ${chosen.id}: ${why}`);
    return chosen;
  }

  /**
   * Domain time begins where an agent still holds it, else at the reference's system clock: a
   * coordinator that starts anew must not begin another time.
   */
  #beginDomain(reference: Host): DomainScale | undefined {
    const { line, source } = reference.report ?? {};
    if (line) {
      this.#log("info", `domain time goes on from the line that ${reference.id} holds`);
      const start = {
        rawNs: rawNanos(line.rawNs),
        domainUnixNs: unixNanos(line.domainUnixNs),
        domainFractionNs: line.domainFractionNs,
        freqPpb: line.freqPpb,
      };
      return new DomainScale([start]);
    }
    if (!source) return undefined;
    this.#log("info", `domain time begins at the system clock of ${reference.id}`);
    if (!source.synchronised || source.steered) {
      this.#log("warn", `the reference ${reference.id} has no time source: UTC is free-running`);
    }
    return DomainScale.from(source);
  }

  #correct(host: Host, reference: Host, scale: DomainScale, result: RoundResult): void {
    const fix = host.track?.fix;
    if (!host.track || !fix) return;
    const isReference = host === reference;
    const rawAt = (refRawNs: RawNanos) => hostRawAt(host.track!, isReference, refRawNs);
    const source = reference.report?.source;
    this.#send(host, {
      case: "correction",
      value: {
        segments: composeSegments(host.track, isReference, scale, result.atRefRawNs),
        solvedRawNs: rawAt(fix.atRefRawNs),
        windowCloseRawNs: rawAt(addNs(fix.atRefRawNs, WINDOW_NS / 2)),
        offsetSigmaNs: fix.offsetSigmaNs,
        freqSigmaPpb: fix.freqSigmaPpb,
        boundNs: fix.boundNs,
        validForNs: VALID_FOR_NS,
        trusted: result.trusted.has(host.number),
        reason: result.reasons.get(host.number) ?? reachReason(result, host),
        referenceHostId: reference.id,
        isReference,
        referencePullNs: scale.pullNs,
        referenceMaxErrorNs: source?.maxErrorNs ?? 0,
        referenceHasSource: source?.synchronised === true && !source.steered,
        stepThresholdNs: STEP_THRESHOLD_NS,
        edgeCount: fix.edgeCount,
        residualRmsNs: fix.residualRmsNs,
      },
    });
  }

  #deal(): void {
    const ranked = rankHosts(this.#hosts.values());
    this.#edges = dealMesh(
      ranked.map((h) => h.number),
      this.#options.meshSeed,
      this.#edges,
    );
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

  #send(host: Host, body: NonNullable<Body>): void {
    if (host.connection === undefined) return;
    const header = { domain: this.#options.domain, term: this.#term, round: this.#round };
    const message = create(CoordinatorMessageSchema, { header, body });
    this.#actions.push({ kind: "send", connection: host.connection, message });
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

function reachReason(result: RoundResult, host: Host): string {
  return result.trusted.has(host.number) ? "" : "no trusted edge reached this host";
}
