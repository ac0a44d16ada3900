import { create } from "@bufbuild/protobuf";
import { AgentMessageSchema, type CoordinatorMessage, HostState } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { DomainCore } from "./domain.ts";
import type { DomainMemory } from "./memory.ts";
import type { Action } from "./outbox.ts";

const UNIX_NS = 1_795_305_600_000_000_000n;

/** A coordinator and what it says to its agents, which are streams here. */
class Server {
  readonly core: DomainCore;
  nowMs: number;
  readonly sent: {
    readonly to: number;
    readonly message: CoordinatorMessage;
    readonly atMs: number;
  }[] = [];
  readonly memories: DomainMemory[] = [];
  log = "";

  constructor(nowMs = 0, memory?: DomainMemory) {
    this.nowMs = nowMs;
    const options = { domain: "default", term: 1n, pairsPerSecond: 50, meshSeed: 1 };
    this.core = new DomainCore({ ...options, ...(memory ? { memory } : {}) });
  }

  hello(connection: number, hostId: string): void {
    this.#hear(connection, { case: "hello", value: { hostId, bootId: "b", clockQuality: 1 } });
  }

  report(connection: number): void {
    const source = { rawNs: 5n, systemUnixNs: UNIX_NS, synchronised: true };
    this.#hear(connection, { case: "report", value: { source, state: HostState.ACQUIRING } });
  }

  leave(connection: number): void {
    this.#take(this.core.handleClose(connection, this.#now));
  }

  run(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs += 20) {
      this.#take(this.core.handleTick(this.#now));
    }
  }

  numberOf(connection: number): number {
    const welcomes = this.sent.filter((s) => s.to === connection).map((s) => s.message.body);
    const welcome = welcomes.find((b) => b.case === "welcome");
    return welcome?.case === "welcome" ? welcome.value.hostNumber : 0;
  }

  get #now() {
    return { monotonicMs: this.nowMs, unixNs: UNIX_NS };
  }

  #hear(
    connection: number,
    body: NonNullable<Parameters<typeof create<typeof AgentMessageSchema>>[1]>["body"],
  ): void {
    const message = create(AgentMessageSchema, { header: { domain: "default" }, body: body! });
    this.#take(this.core.handleMessage(connection, message, this.#now));
  }

  #take(actions: readonly Action[]): void {
    for (const a of actions) {
      if (a.kind === "send")
        this.sent.push({ to: a.connection, message: a.message, atMs: this.nowMs });
      else if (a.kind === "remember") this.memories.push(a.memory);
      else if (a.kind === "log") this.log += `${a.text}\n`;
    }
  }
}

/** What a coordinator with four hosts, one of which has left, hands on. */
function handedOn(): DomainMemory {
  const server = new Server();
  for (const [i, id] of ["a", "b", "c", "d"].entries()) server.hello(i + 1, id);
  server.run(2_000);
  server.leave(2);
  server.run(2_000);
  return server.memories.at(-1)!;
}

test("what changes is told, at most once a second, and what stays is not", () => {
  const server = new Server();
  for (let i = 1; i <= 4; i++) server.hello(i, `h${i}`);
  server.run(10_000);
  expect(server.memories).toHaveLength(1);
  server.leave(3);
  server.run(10_000);
  expect(server.memories).toHaveLength(2);
  expect(server.memories[1].hosts.map((h) => h.connected)).toEqual([true, true, false, true]);
});

test("hosts come back under their numbers in any order, and a new one gets a new number", () => {
  const memory = handedOn();
  const server = new Server(50_000, memory);
  for (const [i, id] of ["d", "new", "b", "a"].entries()) server.hello(i + 1, id);
  expect([1, 2, 3, 4].map((c) => server.numberOf(c))).toEqual([4, 5, 2, 1]);
});

test("a round is solved as soon as all are back that were there", () => {
  const isSolved = (s: Server) => s.log.includes("reference is ");
  const back = new Server(50_000, handedOn());
  for (const [i, id] of ["a", "c", "d"].entries()) back.hello(i + 1, id);
  for (const c of [1, 2, 3]) back.report(c);
  expect(isSolved(back)).toBe(true);
  const missing = new Server(50_000, handedOn());
  for (const [i, id] of ["a", "b", "c"].entries()) missing.hello(i + 1, id);
  for (const c of [1, 2, 3]) missing.report(c);
  expect(isSolved(missing)).toBe(false);
});

test("remembered hosts that do not come back are forgotten", () => {
  const server = new Server(50_000, handedOn());
  server.run(70_000);
  expect(server.core.memory.hosts).toEqual([]);
});

test("no agent is left without a word for longer than a second", () => {
  const server = new Server();
  for (let i = 1; i <= 4; i++) server.hello(i, `h${i}`);
  server.run(10_000);
  for (const connection of [1, 2, 3, 4]) {
    const times = server.sent.filter((s) => s.to === connection).map((s) => s.atMs);
    const gaps = [...times, server.nowMs].map((ms, i, all) => (i === 0 ? 0 : ms - all[i - 1]));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_040);
  }
  const bodies = new Set(server.sent.filter((s) => s.atMs > 2_000).map((s) => s.message.body.case));
  expect([...bodies]).toEqual(["hold"]);
});
