/**
 * A small world of servers around one lease, for tests: a row, calls that take their time or come to
 * nothing, processes that are stopped and go on. Time is what the test says.
 */
import {
  type LeaseAction,
  type LeaseAnswer,
  type LeaseCall,
  LeaseCore,
  type LeaseView,
} from "./lease.ts";

/** A call is given up after this long (ms), as the store does it. */
const CALL_MS_MAX = 1_000;
export const STEP_MS = 50;

/** How the world treats one call. */
export interface CallFate {
  /** Until the database does it, and until the answer is back (ms). */
  readonly thereMs: number;
  readonly backMs: number;
  /** The answer is lost. */
  readonly isLost: boolean;
}

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/** One server of the world. */
export class LeaseServer {
  readonly name: string;
  readonly core: LeaseCore;
  pausedUntilMs = 0;
  isDead = false;
  /** Answers that wait until the process goes on. */
  readonly mail: { readonly call: number; readonly answer: LeaseAnswer }[] = [];
  /** The term in which its domain runs. */
  leads: bigint | undefined;

  constructor(name: string) {
    this.name = name;
    this.core = new LeaseCore({ holder: name, isMyEarlierRun: () => false, firstTerm: 1n });
  }
}

/** See the module head. */
export class LeaseWorld {
  readonly servers: readonly LeaseServer[];
  readonly #fate: (server: LeaseServer) => CallFate;
  nowMs = 0;
  row: LeaseView | undefined;
  /** Until when the database answers nobody (ms). */
  goneUntilMs = 0;
  /** Who has ever led in a term. */
  readonly leaders = new Map<bigint, Set<string>>();
  #events: Event[] = [];
  #nextMs = Infinity;

  constructor(count: number, fate: (server: LeaseServer) => CallFate) {
    this.servers = Array.from({ length: count }, (_, i) => new LeaseServer(`s${i}`));
    this.#fate = fate;
    for (const [i, { core }] of this.servers.entries()) core.rank(i);
  }

  /** Servers that would say something now, by term. */
  get speaking(): LeaseServer[] {
    return this.servers.filter((s) => this.#runs(s) && s.core.mayLead(this.nowMs));
  }

  /** Lets `ms` pass; `each` is called after every step. */
  run(ms: number, each: () => void = () => {}): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      this.nowMs += STEP_MS;
      this.#runDue();
      for (const server of this.servers.filter((s) => this.#runs(s))) this.#step(server);
      each();
    }
  }

  heard(server: LeaseServer, term: bigint): void {
    this.#perform(server, server.core.heard(term, this.nowMs));
  }

  end(server: LeaseServer): void {
    this.#perform(server, server.core.end(this.nowMs));
  }

  #runDue(): void {
    if (this.nowMs < this.#nextMs) return;
    const due = this.#events.filter((e) => e.atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
    this.#events = this.#events.filter((e) => e.atMs > this.nowMs);
    this.#nextMs = this.#events.reduce((least, e) => Math.min(least, e.atMs), Infinity);
    for (const { run } of due) run();
  }

  #runs(server: LeaseServer): boolean {
    return !server.isDead && this.nowMs >= server.pausedUntilMs;
  }

  #step(server: LeaseServer): void {
    for (const { call, answer } of server.mail.splice(0)) {
      this.#perform(server, server.core.answer(call, answer, this.nowMs));
    }
    this.#perform(server, server.core.tick(this.nowMs));
  }

  #perform(server: LeaseServer, actions: readonly LeaseAction[]): void {
    for (const action of actions) {
      if (action.kind === "lead") {
        server.leads = action.term;
        const holders = this.leaders.get(action.term) ?? new Set();
        this.leaders.set(action.term, holders.add(server.name));
      } else if (action.kind === "follow") server.leads = undefined;
      else if (action.kind !== "log") this.#call(server, action);
    }
  }

  #call(server: LeaseServer, call: LeaseCall): void {
    const { thereMs, backMs, isLost } = this.#fate(server);
    const sentMs = this.nowMs;
    const giveUp = () => answer({ kind: "failed", reason: "no answer" });
    let isAnswered = false;
    const answer = (what: LeaseAnswer) => {
      if (isAnswered) return;
      isAnswered = true;
      server.mail.push({ call: call.call, answer: what });
    };
    this.#at(sentMs + CALL_MS_MAX, giveUp);
    this.#at(sentMs + thereMs, () => {
      if (this.nowMs < this.goneUntilMs) return;
      const what = this.#do(server.name, call);
      if (!isLost) this.#at(this.nowMs + backMs, () => answer(what));
    });
  }

  /** What the store does with a call. */
  #do(holder: string, call: LeaseCall): LeaseAnswer {
    const row = this.row;
    if (call.kind === "read") return { kind: "row", row };
    const held = row?.holder === holder && call.kind !== "take" && row.term === call.term;
    const asSeen =
      call.kind === "take" &&
      call.over?.term === row?.term &&
      call.over?.renewals === row?.renewals;
    if (call.kind === "take" && asSeen) {
      this.row = { holder, addresses: [], term: call.term, renewals: 0n, released: false };
    } else if (held && call.kind === "renew" && !row.released) {
      this.row = { ...row, renewals: row.renewals + 1n };
    } else if (held && call.kind === "release") this.row = { ...row, released: true };
    else return { kind: "changed", changed: false };
    return { kind: "changed", changed: true };
  }

  #at(atMs: number, run: () => void): void {
    this.#events.push({ atMs, run });
    this.#nextMs = Math.min(this.#nextMs, atMs);
  }
}
