/**
 * The agent's core: events in, actions out.
 *
 * It knows no socket, timer or clock. The timestamper's batches, some twenty a second, are its
 * beat; messages of the coordinator and of neighbours come between them. The same code runs in the
 * agent's process and in the simulator.
 *
 * A round, from its close: 20 ms later the stamps are flushed to every neighbour, and when all fits
 * are done, or 130 ms after the close, one report goes to the coordinator (see `exchange.ts`). A
 * correction goes to the keeper of the clock, and what it wants written leaves as an action.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Verdict } from "@ttcs/discipline";
import {
  AgentMessageSchema,
  type Assignment,
  type CoordinatorMessage,
  type EdgeFit,
  type ExchangeFlush,
  type HelloSchema,
  type Welcome,
} from "@ttcs/protocol";
import type { ClockStatus, ProbeCounters, TimestamperBatch } from "@ttcs/timestamper/types";
import { type RawNanos, rawNanos, unixNanos } from "@ttcs/units";
import type { AgentAction, AgentOptions } from "./actions.ts";
import { Carrier } from "./carrier.ts";
import { type Deed, DeedWatch } from "./deeds.ts";
import { Exchange, type RoundClose } from "./exchange.ts";
import { Keeper } from "./keeper.ts";
import { assignmentActions, placeFault } from "./place.ts";
import { ProbeKeys } from "./probe-keys.ts";
import { reportOf } from "./report.ts";
import { RoundClock } from "./round-clock.ts";
import { Saver } from "./saver.ts";
import { kernelErrors, sourceLine } from "./source-line.ts";
import type { Standing } from "./standing.ts";

/** A term beyond this is no neighbour's to tell: coordinators do not believe it either. */
const TERM_HEARD_MAX = 2n ** 48n;

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** See the module head. */
export class AgentCore {
  readonly #options: AgentOptions;
  readonly #rounds = new RoundClock();
  readonly carrier: Carrier;
  readonly exchange: Exchange;
  readonly keeper: Keeper;
  #hostNumber = 0;
  #nowRawNs: RawNanos = rawNanos(0n);
  #counters: ProbeCounters | undefined;
  #status: ClockStatus | undefined;
  #state = "";
  #lastWarning = "";
  /** True from a stream's Welcome on; before, numbers are not known and nothing is reported. */
  #welcomed = false;
  /** True once neighbours have been dealt after that: edges of before have another coordinator's numbers. */
  #dealt = false;
  /** The latest term that a neighbour has shown: the coordinator must hear of it, we need not obey. */
  #heardTerm = 0n;
  #actions: AgentAction[] = [];
  readonly #deeds: DeedWatch;
  readonly #saver: Saver;
  readonly #keys = new ProbeKeys();
  /** What the coordinator wants an operator to know. */
  alarms: readonly string[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
    this.carrier = new Carrier(options.correctClock);
    this.exchange = new Exchange(this.carrier, options.meter, options.region);
    this.keeper = new Keeper(options);
    this.#deeds = new DeedWatch(options.correctClock);
    this.#saver = new Saver(this.keeper);
  }

  /** Why state cannot be kept; undefined: it can. */
  get storageFault(): string | undefined {
    return this.#saver.fault;
  }

  /**
   * The agent begins: goes on where an earlier life stopped.
   *
   * @param saved text that was to be saved then; undefined: there is none
   */
  handleStart(saved: string | undefined, bootId: string, nowRawNs: RawNanos): AgentAction[] {
    this.#nowRawNs = nowRawNs;
    const told = this.#saver.start(saved, bootId, nowRawNs);
    if (told) this.#log(told.level, told.text);
    if (this.keeper.line) this.#rounds.setLine(this.keeper.line);
    const { place } = this.#saver;
    // Rounds are counted by the line: without one nobody could follow.
    if (place && this.keeper.line) {
      this.#identify(place.hostNumber);
      this.#assign(place.assignment);
    }
    return this.#take();
  }

  /** The agent ends: the last chance to keep something. The clock goes on at domain time's pace. */
  handleEnd(): AgentAction[] {
    const write = this.keeper.rest(this.#nowRawNs, this.carrier);
    if (write) this.#actions.push(write);
    this.#save(true);
    return this.#take();
  }

  /** How saving went: why it failed, undefined: it did not. */
  handleSaved(fault: string | undefined): AgentAction[] {
    const told = this.#saver.saved(fault);
    if (told) this.#log(told.level, told.text);
    return this.#take();
  }

  #save(now: boolean): void {
    const offsetNs = () => this.standing().offsetNs;
    const text = this.#saver.look(this.#state, this.#nowRawNs, now, offsetNs);
    if (text !== undefined) this.#actions.push({ kind: "save", text });
  }

  /** Raw clock at the last event (ns). */
  get nowRawNs(): RawNanos {
    return this.#nowRawNs;
  }

  get hostNumber(): number {
    return this.#hostNumber;
  }

  get counters(): ProbeCounters | undefined {
    return this.#counters;
  }

  /** A stream to the coordinator is open: introduce the host. */
  handleConnected(hello: MessageInitShape<typeof HelloSchema>): AgentAction[] {
    this.#welcomed = false;
    this.#say({ case: "hello", value: hello });
    return this.#take();
  }

  handleDisconnected(reason: string): AgentAction[] {
    if (this.keeper.connected) this.#log("warn", `lost the coordinator: ${reason}`);
    this.keeper.connected = false;
    this.#welcomed = false;
    return this.#take();
  }

  /** This host may not take part; said by whom it asked before there was a stream. */
  handleRefused(reason: string): AgentAction[] {
    this.keeper.refusal = reason;
    return this.#take();
  }

  /** A message of the coordinator, at raw instant `nowRawNs`. */
  handleMessage(message: CoordinatorMessage, nowRawNs: RawNanos): AgentAction[] {
    this.#nowRawNs = nowRawNs;
    const { header, body } = message;
    if (header?.domain !== this.#options.domain) {
      this.#logOnce(`a message for domain "${header?.domain ?? ""}" is ignored`);
    } else if (body.case === "welcome") {
      this.#welcome(body.value, nowRawNs);
    } else if (body.case === "assignment") this.#assign(body.value);
    else if (body.case === "waiting") this.keeper.waiting = body.value;
    else if (body.case === "refusal") this.keeper.refusal = body.value.reason;
    else if (body.case === "hold") {
      this.keeper.hold(body.value.reason);
      this.alarms = body.value.alarms;
    } else if (body.case === "correction") {
      const refused = this.keeper.take(header, body.value, nowRawNs);
      if (refused) this.#logOnce(`correction refused: ${refused}`);
      else {
        this.alarms = body.value.alarms;
        this.#rounds.setLine(this.keeper.line!);
        this.#steer(true);
      }
    }
    return this.#take();
  }

  /** Stamps and clock readings of the last 50 ms. */
  handleBatch(batch: TimestamperBatch): AgentAction[] {
    this.#nowRawNs = rawNanos(batch.rawNs);
    this.#counters = batch.counters;
    this.carrier.addTriples(batch.triples);
    this.carrier.addStamps(batch.sent, batch.received);
    this.carrier.lookAtSetting(this.#nowRawNs, batch.status.freqPpb);
    const deed = this.#deeds.look(this.#nowRawNs, this.carrier);
    if (deed) this.#disrupted(deed);
    const close = this.#rounds.poll(this.#nowRawNs);
    if (close) this.#closeRound(close, batch.status);
    this.#finishRound();
    const verdict = this.keeper.observe(this.#nowRawNs, this.carrier);
    this.#steer(false);
    const keys = this.#keys.poll(this.#nowRawNs);
    if (keys) this.#actions.push({ kind: "keys", keys });
    this.#sayState(verdict);
    this.#save(false);
    return this.#take();
  }

  /** Names what has happened to the clock and throws away what it has spoiled. */
  #disrupted(deed: Deed): void {
    if (deed.own) {
      // Only the stamps around the change are lost; without all others the domain would lose its
      // reference.
      this.#log("info", deed.reason);
      return;
    }
    this.carrier.voidStamps(deed.beforeRawNs);
    this.exchange.voidBefore(deed.beforeRawNs);
    this.keeper.disrupt(deed, this.#nowRawNs);
  }

  /** A neighbour's stamps of one round. */
  handleFlush(flush: ExchangeFlush): AgentAction[] {
    const ours = flush.header?.domain === this.#options.domain;
    if (ours && flush.toHost === this.#hostNumber) {
      const term = flush.header?.term ?? 0n;
      if (term > this.#heardTerm && term <= TERM_HEARD_MAX) this.#heardTerm = term;
      const refused = this.exchange.takeFlush(flush);
      if (refused) this.#logOnce(refused);
      this.#finishRound();
    }
    return this.#take();
  }

  /** The system clock was written just after `rawNs`. */
  handleAdjusted(rawNs: RawNanos, freqPpb: number): AgentAction[] {
    this.carrier.wroteFrequency(rawNs, freqPpb);
    this.keeper.written();
    this.#tellErrors();
    return this.#take();
  }

  /** The system clock was stepped just after `rawNs`. */
  handleStepped(rawNs: RawNanos, stepNs: number): AgentAction[] {
    this.carrier.wroteStep(rawNs, stepNs);
    this.keeper.stepped();
    this.#log("info", `stepped the clock by ${stepNs} ns, once`);
    return this.#take();
  }

  /** A write did not take place. */
  handleWriteFailed(reason: string): AgentAction[] {
    this.keeper.written();
    this.#log("warn", `the clock could not be written: ${reason}`);
    return this.#take();
  }

  /** How the clock stands now. */
  standing(nowRawNs: RawNanos = this.#nowRawNs): Standing {
    return this.keeper.standing(nowRawNs, this.carrier);
  }

  /**
   * A coordinator has taken us in. Under another number, what is kept would be somebody else's; the
   * numbers of neighbours are looked at when they are dealt.
   */
  #welcome(welcome: Welcome, nowRawNs: RawNanos): void {
    // 0 is dealt to nobody, and what is saved with it could not be read again.
    if (welcome.hostNumber === 0) {
      this.#logOnce("a welcome without a number is ignored");
      return;
    }
    if (welcome.hostNumber !== this.#hostNumber) {
      this.exchange.clear();
      this.#saver.place = undefined;
    }
    this.#welcomed = true;
    this.#dealt = false;
    this.#identify(welcome.hostNumber);
    this.keeper.connected = true;
    this.keeper.refusal = undefined;
    this.keeper.waiting = undefined;
    if (!this.keeper.line) {
      this.#rounds.setProvisional(nowRawNs, unixNanos(welcome.serverUnixNs));
    }
  }

  #identify(hostNumber: number): void {
    this.#hostNumber = hostNumber;
    this.#actions.push({ kind: "identify", hostNumber });
  }

  #assign(assignment: Assignment): void {
    const place = { hostNumber: this.#hostNumber, assignment };
    const fault = placeFault(place);
    if (fault) {
      this.#logOnce(`neighbours refused: ${fault}`);
      return;
    }
    this.#dealt = true;
    this.exchange.setNeighbours(assignment.neighbours, assignment.pairsPerSecond);
    this.#saver.place = place;
    // Whoever has two neighbours waits for nobody any more.
    if (assignment.neighbours.length >= 2) this.keeper.waiting = undefined;
    const keys = this.#keys.assign(assignment.neighbours, this.#nowRawNs);
    this.#actions.push({ kind: "keys", keys }, ...assignmentActions(assignment));
  }

  #closeRound(close: RoundClose, status: ClockStatus): void {
    this.#status = status;
    const held = this.keeper.obedience.heldAt(close.closeRawNs);
    const header = this.#header(close.round);
    const sender = {
      header,
      hostNumber: this.#hostNumber,
      hostId: this.#options.hostId,
      ...(held ? { held } : {}),
    };
    for (const [hostNumber, message] of this.exchange.closeRound(close, sender)) {
      this.#actions.push({ kind: "flush", hostNumber, message });
    }
  }

  /** Reports a round as soon as all its fits are done. */
  #finishRound(): void {
    const fits = this.exchange.finish(this.#nowRawNs, this.#hostNumber);
    if (!fits) return;
    const round = this.exchange.close?.round ?? 0n;
    this.keeper.anchors.look(this.exchange.edges, round, this.#nowRawNs);
    const deed = this.#deeds.lookAtEdges(this.keeper.anchors, this.#nowRawNs);
    if (deed && this.#options.correctClock) this.keeper.disrupt(deed, this.#nowRawNs);
    if (this.#welcomed) this.#sendReport(this.#dealt ? fits : []);
  }

  #sendReport(fits: readonly EdgeFit[]): void {
    const closeRawNs = this.exchange.close?.closeRawNs;
    const { correctClock } = this.#options;
    const source = sourceLine(this.carrier, this.#status, closeRawNs, correctClock);
    this.#say({ case: "report", value: reportOf(fits, source, this.standing(), this.keeper) });
  }

  #steer(fresh: boolean): void {
    const write = this.keeper.decide(this.#nowRawNs, this.carrier, fresh);
    if (write) this.#actions.push(write);
  }

  #tellErrors(): void {
    this.#actions.push({ kind: "errors", ...kernelErrors(this.standing()) });
  }

  #sayState(verdict: Verdict): void {
    if (verdict.state === this.#state) return;
    this.#state = verdict.state;
    const level = verdict.state === "LOCKED" || verdict.state === "ACQUIRING" ? "info" : "warn";
    this.#log(level, verdict.reason ? `${verdict.state}: ${verdict.reason}` : verdict.state);
  }

  #header(round = this.exchange.close?.round ?? 0n) {
    const { term } = this.keeper;
    return { domain: this.#options.domain, term: max(term, this.#heardTerm), round };
  }

  #say(body: NonNullable<MessageInitShape<typeof AgentMessageSchema>["body"]>): void {
    const message = create(AgentMessageSchema, { header: this.#header(), body });
    this.#actions.push({ kind: "report", message });
  }

  /** A warning that would be repeated with every message is told when it is new. */
  #logOnce(text: string): void {
    if (text === this.#lastWarning) return;
    this.#lastWarning = text;
    this.#log("warn", text);
  }

  #log(level: "info" | "warn", text: string): void {
    this.#actions.push({ kind: "log", level, text });
  }

  #take(): AgentAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}
