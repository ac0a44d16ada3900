/**
 * One domain on one server: its lease, and its core while this server leads.
 *
 * Calls of the store are sent and forgotten; what comes of them comes back as an event. So a database
 * that is slow or gone holds up no round. Whatever the core wants said is said only while the lease
 * allows it, and that is asked first, every time: a process that was stopped must not go on speaking.
 */
import type { AgentMessage } from "@ttcs/protocol";
import type { Store, StoreResult } from "@ttcs/store";
import type { DomainCore } from "../core/domain.ts";
import type { ServerTime } from "../core/domain-options.ts";
import type { Fellow, Fellows } from "../core/fellows.ts";
import {
  type LeaseAction,
  type LeaseAnswer,
  type LeaseCall,
  LeaseCore,
  type LeaseOptions,
} from "../core/lease.ts";
import { type DomainMemory, memoryFromText, memoryToText } from "../core/memory.ts";
import type { Action } from "../core/outbox.ts";

/** A greeting waits this long for the answer to who leads (ms): less than an agent's patience. */
const HELD_MS_MAX = 400;
/** Whoever takes the lead asks for the memory so often; then the domain begins without one. */
const MEMORY_TRIES = 3;
/** A domain goes over to the server that is its first choice after both have been there so long (ms). */
const SETTLED_MS = 30_000;

/** What a seat needs of the server. */
export interface SeatShell {
  readonly store: Store;
  readonly lease: LeaseOptions;
  readonly fellows: Fellows;
  /** "host:port" of this server. */
  readonly address: () => string;
  readonly now: () => ServerTime;
  readonly newCore: (term: bigint, memory: DomainMemory | undefined) => DomainCore;
  /** Carries out what the core wants. */
  readonly perform: (actions: readonly Action[]) => void;
  /** Sends an agent, or all agents of the domain, to another server. */
  readonly redirect: (connection: number | undefined, to: Destination) => void;
  readonly log: (level: "info" | "warn", text: string) => void;
}

/** Where an agent is sent. */
export interface Destination {
  /** Empty: nobody is known to lead. */
  readonly address: string;
  readonly reason: string;
  readonly coordinatorAddresses: readonly string[];
}

interface Held {
  readonly message: AgentMessage;
  readonly sinceMs: number;
}

/** See the module head. */
export class Seat {
  readonly #domain: string;
  readonly #shell: SeatShell;
  readonly #lease: LeaseCore;
  #core: DomainCore | undefined;
  #isLoading = false;
  #leadsSinceMs = Number.NaN;
  /** Greetings that wait until it is known who leads, by stream. */
  readonly #held = new Map<number, Held>();
  #toWrite: DomainMemory | undefined;
  #writing: Promise<unknown> | undefined;
  /** Called when the corrections of the next round have been sent. */
  #onRound: (() => void) | undefined;

  constructor(domain: string, shell: SeatShell) {
    this.#domain = domain;
    this.#shell = shell;
    this.#lease = new LeaseCore(shell.lease);
  }

  /** The term in which this server leads the domain; undefined: it does not. */
  get term(): bigint | undefined {
    return this.#lease.term;
  }

  /** Every server that agents may try, the leader first. */
  addresses(): string[] {
    const { fellows, now, address } = this.#shell;
    const leader = this.#core ? [address()] : this.#leaderAddresses();
    const all = fellows.order(this.#domain, now().monotonicMs).map((f) => f.address);
    return [...new Set([...leader, ...all, address()])];
  }

  tick(): void {
    const { monotonicMs } = this.#shell.now();
    const { row } = this.#lease;
    // A holder is its server and the run of it.
    const giver = row?.released ? row.holder.slice(0, row.holder.lastIndexOf("/")) : undefined;
    this.#lease.rank(this.#shell.fellows.rank(this.#domain, monotonicMs, giver));
    this.#perform(this.#lease.tick(monotonicMs));
    this.#decideHeld();
    const core = this.#speaking();
    if (core) this.#say(core.handleTick(this.#shell.now()));
    this.#giveToBetter(monotonicMs);
  }

  /** A message of the agent on stream `connection`. */
  hear(connection: number, message: AgentMessage): void {
    const { monotonicMs } = this.#shell.now();
    this.#perform(this.#lease.heard(message.header?.term ?? 0n, monotonicMs));
    const core = this.#speaking();
    if (core) this.#say(core.handleMessage(connection, message, this.#shell.now()));
    else if (message.body.case === "hello") {
      this.#held.set(connection, { message, sinceMs: monotonicMs });
      this.#perform(this.#lease.asked(monotonicMs));
    }
  }

  /** A certificate (by its SHA-256) has ended: its host belongs to the domain no more. */
  expel(certificateSha256: Uint8Array): void {
    const core = this.#speaking();
    if (core) this.#say(core.handleExpelled(certificateSha256, this.#shell.now()));
  }

  /** The stream has ended. */
  left(connection: number): void {
    this.#held.delete(connection);
    const core = this.#core;
    if (!core) return;
    const actions = core.handleClose(connection, this.#shell.now());
    if (this.#speaking()) this.#say(actions);
  }

  /** The server ends: what is known is kept, the lease given back, agents sent on. */
  async end(): Promise<void> {
    if (this.#core) await this.#handOver(() => this.#lease.end(this.#shell.now().monotonicMs));
    else this.#lease.end(this.#shell.now().monotonicMs);
  }

  /** The core, if it may say something now. */
  #speaking(): DomainCore | undefined {
    return this.#lease.mayLead(this.#shell.now().monotonicMs) ? this.#core : undefined;
  }

  #say(actions: readonly Action[]): void {
    // The lease may have run out while the round was solved.
    if (actions.length === 0 || !this.#speaking()) return;
    this.#shell.perform(actions);
    for (const a of actions) if (a.kind === "remember") this.#remember(a.memory);
    if (this.#onRound && actions.some(isCorrection)) this.#onRound();
  }

  #decideHeld(): void {
    const { monotonicMs } = this.#shell.now();
    const core = this.#speaking();
    for (const [connection, { message, sinceMs }] of this.#held) {
      const isLate = monotonicMs - sinceMs > HELD_MS_MAX;
      const isKnown = this.#lease.seenMs > sinceMs && !this.#lease.isUndecided && !this.#core;
      if (!core && !isLate && (!isKnown || this.#isLoading)) continue;
      this.#held.delete(connection);
      if (core) this.#say(core.handleMessage(connection, message, this.#shell.now()));
      else this.#shell.redirect(connection, this.#destination("another server leads this domain"));
    }
  }

  #leaderAddresses(): readonly string[] {
    const { row } = this.#lease;
    const isOther = row && !row.released && row.holder !== this.#shell.lease.holder;
    return isOther && !this.#lease.isLate(this.#shell.now().monotonicMs) ? row.addresses : [];
  }

  #destination(reason: string, to = this.#leaderAddresses()[0] ?? ""): Destination {
    const own = this.#shell.address();
    const others = this.addresses().filter((a) => a !== own);
    const known = to === "" ? "nobody is known to lead this domain" : reason;
    return { address: to, reason: known, coordinatorAddresses: [...others, own] };
  }

  #perform(actions: readonly LeaseAction[]): Promise<unknown> {
    const calls: Promise<unknown>[] = [];
    for (const action of actions) {
      if (action.kind === "log") this.#log(action.level, action.text);
      else if (action.kind === "lead") this.#lead(action.term);
      else if (action.kind === "follow") this.#follow(action.reason);
      else calls.push(this.#call(action));
    }
    return Promise.all(calls);
  }

  async #call(call: LeaseCall): Promise<void> {
    const answer = await this.#ask(call);
    this.#perform(this.#lease.answer(call.call, answer, this.#shell.now().monotonicMs));
  }

  async #ask(call: LeaseCall): Promise<LeaseAnswer> {
    const { leases } = this.#shell.store;
    const { holder } = this.#shell.lease;
    if (call.kind === "read") {
      const result = await leases.read(this.#domain);
      return result.ok ? { kind: "row", row: result.value } : failed(result);
    }
    const addresses = [this.#shell.address()];
    const { term } = call;
    const result =
      call.kind === "take"
        ? await leases.take(this.#domain, call.over, { holder, addresses, term })
        : await leases[call.kind](this.#domain, holder, term);
    return result.ok ? { kind: "changed", changed: result.value } : failed(result);
  }

  #lead(term: bigint): void {
    this.#log("info", `this server leads, term ${term}`);
    if (this.#core) this.#core.lead(term);
    else if (!this.#isLoading) void this.#load();
  }

  /** Begins the domain with what the coordinator before has left. */
  async #load(): Promise<void> {
    this.#isLoading = true;
    let memory: DomainMemory | undefined;
    for (let tries = 1; tries <= MEMORY_TRIES; tries++) {
      const result = await this.#shell.store.memories.read(this.#domain);
      if (!result.ok) continue;
      memory = result.value && memoryFromText(result.value.document);
      if (result.value && !memory) this.#log("warn", "what was remembered makes no sense: ignored");
      break;
    }
    this.#isLoading = false;
    const { term } = this.#lease;
    if (term === undefined) return;
    this.#core = this.#shell.newCore(term, memory);
    this.#leadsSinceMs = this.#shell.now().monotonicMs;
    this.#decideHeld();
  }

  #follow(reason: string): void {
    this.#log("warn", `this server leads no more: ${reason}`);
    this.#core = undefined;
    this.#toWrite = undefined;
    this.#shell.redirect(undefined, this.#destination(reason));
  }

  #remember(memory: DomainMemory): void {
    this.#toWrite = memory;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Writes the newest memory; those that came meanwhile are of no use. */
  async #write(): Promise<void> {
    for (let memory = this.#toWrite; memory; memory = this.#toWrite) {
      this.#toWrite = undefined;
      const { term } = this.#lease;
      if (term === undefined) return;
      const { memories } = this.#shell.store;
      const document = memoryToText(memory);
      const result = await memories.write(this.#domain, this.#shell.lease.holder, {
        term,
        document,
      });
      // What could not be written is written with the next change.
      if (!result.ok) this.#log("warn", `the domain's memory is not written: ${result.reason}`);
      else if (!result.value) this.#log("warn", `term ${term} is over: nothing was written`);
    }
  }

  /** Better servers for this domain get it when everybody has settled. */
  #giveToBetter(nowMs: number): void {
    if (!this.#core || this.#onRound || !(nowMs - this.#leadsSinceMs >= SETTLED_MS)) return;
    const better = this.#shell.fellows.betterFor(this.#domain, SETTLED_MS, nowMs);
    if (better)
      void this.#handOver(() => this.#lease.release(this.#shell.now().monotonicMs), better);
  }

  /** Right after a round is sent there is the most time until the next one. */
  async #handOver(release: () => LeaseAction[], to?: Fellow): Promise<void> {
    const core = this.#core!;
    this.#remember(core.memory);
    await this.#writing;
    await this.#roundSent();
    if (this.#core !== core) return;
    this.#core = undefined;
    await this.#perform(release());
    const { fellows, now, address } = this.#shell;
    const others = fellows.order(this.#domain, now().monotonicMs).map((f) => f.address);
    const next = to?.address ?? others.find((a) => a !== address()) ?? "";
    this.#log("info", `this server hands the domain over${next === "" ? "" : ` to ${next}`}`);
    this.#shell.redirect(undefined, this.#destination("this server hands the domain over", next));
  }

  #roundSent(): Promise<void> {
    const ROUND_AT_LATEST_MS = 700;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(late);
        this.#onRound = undefined;
        resolve();
      };
      const late = setTimeout(done, ROUND_AT_LATEST_MS);
      this.#onRound = done;
    });
  }

  #log(level: "info" | "warn", text: string): void {
    this.#shell.log(level, `domain ${this.#domain}: ${text}`);
  }
}

const failed = (result: StoreResult<unknown> & { ok: false }): LeaseAnswer => ({
  kind: "failed",
  reason: result.reason,
});

const isCorrection = (action: Action): boolean =>
  action.kind === "send" && action.message.body.case === "correction";
