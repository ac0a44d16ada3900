/**
 * One of several servers: the shipped lease core, and a domain while it leads.
 *
 * It can be stopped as SIGSTOP does it: nothing runs, what comes in piles up, and when it goes on its
 * timers are first and the pile comes next, with clocks that have gone on meanwhile. It can be killed;
 * then another run of it begins with nothing. Before every batch of messages it asks its lease whether
 * anything may be said at all; whoever speaks to a server that does not lead is sent away.
 */
import { type Action, type LeaseAction, LeaseCore } from "@ttcs/coordinator/core";
import type { AgentMessage, CoordinatorMessage } from "@ttcs/protocol";
import type { Caller, SimDatabase } from "./database.ts";

/** What a leader runs: the coordinator's core of one domain, or something like it. */
export interface LedDomain {
  handleMessage(connection: number, message: AgentMessage): readonly Action[];
  handleClose(connection: number): readonly Action[];
  handleTick(): readonly Action[];
}

/** What a server needs of the world around it. */
export interface ServerWorld {
  readonly nowNs: number;
  readonly database: SimDatabase;
  /** False: servers do not ask their lease before they speak; for tests of tests. */
  readonly asksLease?: boolean;
  /** Begins to lead a domain. */
  open(term: bigint): LedDomain;
  send(connection: number, message: CoordinatorMessage): void;
  /** Sends an agent away, to an address where one is known. */
  redirect(connection: number, address: string): void;
  /** Ends a stream. */
  hangUp(connection: number): void;
  note(server: string, text: string): void;
}

/** Rows are written this often (ns). */
const WRITE_EVERY_NS = 1e9;
const FIRST_TERM = 100n;

/** See the module head. */
export class SimServer implements Caller {
  readonly index: number;
  readonly address: string;
  readonly #world: ServerWorld;
  readonly #pile: (() => void)[] = [];
  readonly #connections = new Set<number>();
  #runs = 0;
  #lease!: LeaseCore;
  #domain: LedDomain | undefined;
  #term = 0n;
  #wroteNs = 0;
  isAlive = true;
  isStopped = false;
  /** Messages that were held back because the lease had run out. */
  heldBack = 0;

  constructor(index: number, world: ServerWorld) {
    this.index = index;
    this.address = `s${index + 1}`;
    this.#world = world;
    this.start();
  }

  get holder(): string {
    return `${this.address}#${this.#runs}`;
  }

  /** True while it leads by its own opinion. */
  get leads(): boolean {
    return this.isAlive && this.#domain !== undefined;
  }

  /** A run begins, with an empty memory. */
  start(): void {
    this.#runs++;
    this.isAlive = true;
    this.#domain = undefined;
    this.#lease = new LeaseCore({
      holder: this.holder,
      isMyEarlierRun: (holder) => holder.startsWith(`${this.address}#`),
      firstTerm: FIRST_TERM,
    });
    this.#lease.rank(this.index);
  }

  /** kill -9: its streams end at once. */
  kill(): void {
    this.isAlive = false;
    this.#pile.length = 0;
    for (const connection of this.#connections) this.#world.hangUp(connection);
    this.#connections.clear();
  }

  stop(): void {
    this.isStopped = true;
  }

  goOn(): void {
    this.isStopped = false;
    this.tick();
    for (const then of this.#pile.splice(0)) then();
  }

  /** The beat, some fifty times a second. */
  tick(): void {
    if (!this.isAlive || this.isStopped) return;
    this.#obey(this.#lease.tick(this.#nowMs));
    if (!this.#domain) return;
    this.#serve(this.#domain.handleTick());
    if (this.#world.nowNs - this.#wroteNs < WRITE_EVERY_NS) return;
    this.#wroteNs = this.#world.nowNs;
    this.#world.database.write(this, this.#term);
  }

  /** A message of an agent has arrived; the kernel takes it whether this process runs or not. */
  hear(connection: number, message: AgentMessage): void {
    this.#run(() => {
      this.#connections.add(connection);
      this.#obey(this.#lease.heard(message.header?.term ?? 0n, this.#nowMs));
      if (!this.#domain || !this.#maySpeak) return this.#sendAway(connection);
      this.#serve(this.#domain.handleMessage(connection, message));
    });
  }

  /** An agent's end of a stream has ended. */
  closed(connection: number): void {
    this.#run(() => {
      this.#connections.delete(connection);
      if (this.#domain) this.#serve(this.#domain.handleClose(connection));
    });
  }

  #run(then: () => void): void {
    if (!this.isAlive) return;
    if (this.isStopped) this.#pile.push(then);
    else then();
  }

  #sendAway(connection: number): void {
    this.#connections.delete(connection);
    const { row } = this.#lease;
    const known = row && row.holder !== this.holder && !row.released ? row.addresses[0] : "";
    this.#obey(this.#lease.asked(this.#nowMs));
    this.#world.redirect(connection, known);
  }

  #obey(actions: readonly LeaseAction[]): void {
    for (const action of actions) {
      if (action.kind === "log") this.#world.note(this.address, action.text);
      else if (action.kind === "lead") this.#lead(action.term);
      else if (action.kind === "follow") this.#follow(action.reason);
      else {
        const run = this.#runs;
        this.#world.database.call(this, action, (answer) =>
          this.#run(() => {
            // The answer to a call of a run before this one.
            if (run !== this.#runs) return;
            this.#obey(this.#lease.answer(action.call, answer, this.#nowMs));
          }),
        );
      }
    }
  }

  #lead(term: bigint): void {
    this.#world.note(this.address, `leads in term ${term}`);
    const again = this.#domain !== undefined;
    this.#term = term;
    this.#domain = this.#world.open(term);
    // Those who are here have joined the domain of the term before: they come again.
    if (again) this.#endAll("");
  }

  #follow(reason: string): void {
    this.#world.note(this.address, `follows: ${reason}`);
    this.#domain = undefined;
    this.#endAll(this.#lease.row?.addresses[0] ?? "");
  }

  #endAll(address: string): void {
    for (const connection of this.#connections) this.#world.redirect(connection, address);
    this.#connections.clear();
  }

  #serve(actions: readonly Action[]): void {
    const mayLead = this.#maySpeak;
    for (const action of actions) {
      if (action.kind === "log") this.#world.note(this.address, action.text);
      else if (action.kind === "end") this.#world.hangUp(action.connection);
      else if (action.kind === "remember") continue;
      else if (mayLead) this.#world.send(action.connection, action.message);
      else this.heldBack++;
    }
  }

  get #maySpeak(): boolean {
    return this.#world.asksLease === false || this.#lease.mayLead(this.#nowMs);
  }

  get #nowMs(): number {
    return this.#world.nowNs / 1e6;
  }
}
