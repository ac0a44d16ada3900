import { create } from "@bufbuild/protobuf";
import { type AgentMessage, AgentMessageSchema, HostState } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { DomainCore } from "./domain.ts";
import type { Host } from "./host.ts";
import { copyAlarms } from "./roster.ts";

/** Four agents that have joined, and what the coordinator says as they report or leave. */
class Meeting {
  readonly #core = new DomainCore({
    domain: "default",
    term: 1n,
    pairsPerSecond: 50,
    meshSeed: 1,
    metered: (round) => {
      this.#solvedCount++;
      round();
    },
  });
  #nowMs = 0;
  #solvedCount = 0;

  constructor() {
    for (let i = 1; i <= 4; i++) this.join(i, i);
    this.#nowMs = 2_000;
  }

  /** Numbers of the streams that are told their neighbours by it. */
  join(host: number, connection: number, probePort = 319): number[] {
    const value = { hostId: `h${host}`, bootId: "b", clockQuality: 1, probePort };
    const hello = bodyOf({ case: "hello", value });
    const actions = this.#core.handleMessage(connection, hello, this.#now());
    return actions.flatMap((a) =>
      a.kind === "send" && a.message.body.case === "assignment" ? [a.connection] : [],
    );
  }

  /** A while goes by. */
  wait(ms: number): void {
    this.#nowMs += ms;
  }

  /** True when a round that waits for somebody is solved without him. */
  beat(): boolean {
    return this.#solves(() => this.#core.handleTick(this.#now()));
  }

  /** Numbers of the streams that are told their neighbours at this beat. */
  deal(): number[] {
    const actions = this.#core.handleTick(this.#now());
    return actions.flatMap((a) =>
      a.kind === "send" && a.message.body.case === "assignment" ? [a.connection] : [],
    );
  }

  /** True when the round is solved by it. */
  report(host: number): boolean {
    const source = { rawNs: 5n, systemUnixNs: 1_795_305_600_000_000_000n, synchronised: true };
    return this.#hear(host, { case: "report", value: { source, state: HostState.ACQUIRING } });
  }

  leave(host: number): boolean {
    return this.#solves(() => this.#core.handleClose(host, this.#now()));
  }

  #hear(host: number, body: Parameters<typeof bodyOf>[0]): boolean {
    return this.#solves(() => this.#core.handleMessage(host, bodyOf(body), this.#now()));
  }

  #solves(event: () => void): boolean {
    const before = this.#solvedCount;
    event();
    return this.#solvedCount > before;
  }

  #now() {
    return { monotonicMs: this.#nowMs++, unixNs: 1_795_305_600_000_000_000n };
  }
}

const bodyOf = (
  body: NonNullable<Parameters<typeof create<typeof AgentMessageSchema>>[1]>["body"],
) => create(AgentMessageSchema, { header: { domain: "default" }, body: body! }) as AgentMessage;

test("the report of a host that has left does not stand for one that is still to come", () => {
  const meeting = new Meeting();
  expect(meeting.report(1)).toBe(false);
  expect(meeting.report(3)).toBe(false);
  expect(meeting.leave(3)).toBe(false);
  expect(meeting.report(2)).toBe(false);
  expect(meeting.report(4)).toBe(true);
});

test("a round waits no longer when the one it waited for has left", () => {
  const meeting = new Meeting();
  for (const host of [1, 2, 3]) expect(meeting.report(host)).toBe(false);
  expect(meeting.leave(4)).toBe(true);
});

test("while reports come one upon another a round waits for the rest, up to a quarter of a second", () => {
  const meeting = new Meeting();
  meeting.report(1);
  meeting.wait(97);
  meeting.report(2);
  expect(meeting.beat()).toBe(false);
  meeting.wait(10);
  expect(meeting.beat()).toBe(true);

  meeting.wait(400);
  meeting.report(1);
  meeting.wait(247);
  meeting.report(2);
  expect(meeting.beat()).toBe(false);
  expect(meeting.beat()).toBe(true);
});

test("a host that says the same again and again keeps nobody waiting", () => {
  const meeting = new Meeting();
  meeting.report(1);
  for (let i = 0; i < 18; i++) {
    meeting.wait(5);
    meeting.report(1);
  }
  meeting.wait(5);
  expect(meeting.beat()).toBe(true);
});

test("in a large domain newcomers are dealt in right after a round, not amid the next one's reports", () => {
  const meeting = new Meeting();
  for (let i = 5; i <= 100; i++) meeting.join(i, i);
  const all = (count: number) =>
    Array.from({ length: count }, (_, i) => meeting.report(i + 1)).includes(true);
  expect(all(100)).toBe(true);
  meeting.wait(350);
  expect(meeting.join(101, 101)).toEqual([]);
  expect(meeting.deal()).toEqual([]);
  meeting.report(1);
  expect(meeting.deal()).toEqual([]);
  expect(all(101)).toBe(true);
  expect(meeting.deal()).toContain(101);
});

test("in a large domain some are told their neighbours at a beat, those who know none first, and all in the end", () => {
  const meeting = new Meeting();
  for (let i = 5; i <= 200; i++) meeting.join(i, i);
  meeting.wait(600);
  for (let i = 1; i <= 200; i++) meeting.report(i);
  const beats: number[][] = [];
  for (let told = meeting.deal(); told.length > 0; told = meeting.deal()) beats.push(told);
  expect(beats.length).toBeGreaterThan(5);
  expect(Math.max(...beats.map((b) => b.length))).toBe(32);
  expect(Math.min(...beats.slice(0, 3).flat())).toBeGreaterThanOrEqual(100);
  const newcomers = beats.flat().filter((c) => c >= 100);
  expect(new Set(newcomers).size).toBe(101);
});

test("a host that comes back is told its neighbours, and they are told of it only when it has moved", () => {
  const meeting = new Meeting();
  meeting.leave(4);
  expect(meeting.join(4, 5)).toEqual([5]);
  meeting.leave(5);
  expect(meeting.join(4, 6, 1_319).sort()).toEqual([1, 2, 3, 6]);
});

test("a host that has fallen silent holds up some rounds, and then no more", () => {
  const meeting = new Meeting();
  const round = () => {
    meeting.wait(500);
    return [1, 2, 3].map((host) => meeting.report(host)).includes(true);
  };
  const rounds = Array.from({ length: 6 }, () => {
    if (round()) return "at once";
    expect(meeting.beat()).toBe(false);
    meeting.wait(100);
    return meeting.beat() ? "late" : "never";
  });
  expect(rounds).toEqual(["late", "late", "late", "at once", "at once", "at once"]);
});

test("a host whose certificate has ended is taken out at once: its stream ends, nobody has it as a neighbour", () => {
  const { core, now } = fleetOf(5);
  const hash = Uint8Array.of(3, 3, 3);
  const told = core.handleExpelled(hash, now());
  expect(told.filter((a) => a.kind === "end")).toEqual([{ kind: "end", connection: 3 }]);
  const neighbours = told.flatMap((a) =>
    a.kind === "send" && a.message.body.case === "assignment"
      ? [a.message.body.value.neighbours.map((n) => n.hostId)]
      : [],
  );
  expect(neighbours).toHaveLength(4);
  expect(neighbours.flat()).not.toContain("h3");
  // Ended once is ended; nobody else's certificate is.
  const again = core.handleExpelled(hash, now());
  const nobody = core.handleExpelled(new Uint8Array(0), now());
  expect([again, nobody]).toEqual([[], []]);
});

test("neighbours are told each other's certificates, and anew when one has another", () => {
  const { core, now } = fleetOf(4);
  const hello = helloOf(2, Uint8Array.of(9, 9, 9));
  core.handleClose(2, now());
  const told = core.handleMessage(12, hello, now());
  const ofOthers = told.flatMap((a) =>
    a.kind === "send" && a.connection !== 12 && a.message.body.case === "assignment"
      ? a.message.body.value.neighbours.filter((n) => n.hostId === "h2")
      : [],
  );
  expect(ofOthers.map((n) => [...n.certificateSha256])).toEqual([
    [9, 9, 9],
    [9, 9, 9],
    [9, 9, 9],
  ]);
});

test("somebody else with a living host's key is refused, and both are told that one is a copy", () => {
  const { core, now } = fleetOf(4);
  const report = { case: "report" as const, value: { state: HostState.ACQUIRING } };
  core.handleMessage(1, bodyOf(report), now());
  const copy = helloOf(1, Uint8Array.of(1, 1, 1), "10.9.9.9");
  const [refusal] = core
    .handleMessage(77, copy, now())
    .flatMap((a) => (a.kind === "send" && a.message.body.case === "refusal" ? [a] : []));
  expect(refusal.connection).toBe(77);
  expect(refusal.message.body.value).toMatchObject({
    reason: expect.stringContaining('"h1" has joined from 10.0.0.1 already, with the same key'),
  });
  expect(copyAlarms({ copy: { from: "10.9.9.9", atMs: 0 } } as Host, 59_000)).toEqual([
    expect.stringContaining("also used from 10.9.9.9"),
  ]);
  expect(copyAlarms({ copy: { from: "10.9.9.9", atMs: 0 } } as Host, 61_000)).toEqual([]);
});

function helloOf(host: number, certificateSha256: Uint8Array, address = `10.0.0.${host}`) {
  const where = { managementAddress: address, probeAddress: address, probePort: 319 };
  const value = { hostId: `h${host}`, bootId: "b", clockQuality: 1, certificateSha256, ...where };
  return bodyOf({ case: "hello", value });
}

/** So many hosts that have joined, each on the stream of its number with a certificate of its own. */
function fleetOf(count: number) {
  const core = new DomainCore({ domain: "default", term: 1n, pairsPerSecond: 50, meshSeed: 1 });
  let nowMs = 0;
  const now = () => ({ monotonicMs: nowMs++, unixNs: 1_795_305_600_000_000_000n });
  for (let i = 1; i <= count; i++) core.handleMessage(i, helloOf(i, Uint8Array.of(i, i, i)), now());
  const wait = (ms: number) => {
    nowMs += ms;
  };
  return { core, now, wait };
}

test("a reference that was expelled and has enrolled anew stays, though it led all the while", () => {
  const { core, now, wait } = fleetOf(4);
  const source = { rawNs: 5n, systemUnixNs: 1_795_305_600_000_000_000n, synchronised: true };
  const report = bodyOf({ case: "report", value: { source, state: HostState.ACQUIRING } });
  wait(2_000);
  const told = [1, 2, 3, 4].flatMap((host) => core.handleMessage(host, report, now()));
  const leaders = [...told, ...core.handleTick(now())].flatMap((a) =>
    a.kind === "send" && a.message.body.case === "assignment"
      ? [a.message.body.value.referenceHost]
      : [],
  );
  expect(leaders).toContain(1);
  const atFirst = core.handleExpelled(Uint8Array.of(1, 1, 1), now());
  expect(atFirst.filter((a) => a.kind === "send" && a.message.body.case === "assignment")).toEqual(
    [],
  );
  core.handleMessage(11, helloOf(1, Uint8Array.of(8, 8, 8)), now());
  // Then a better one comes and leads; the old one is none of the expelled any more.
  const better = helloOf(5, Uint8Array.of(5, 5, 5));
  if (better.body.case === "hello") better.body.value.clockQuality = 10;
  core.handleMessage(5, better, now());
  const later = Array.from({ length: 20 }, () => {
    wait(500);
    const heard = [11, 2, 3, 4, 5].flatMap((c) => core.handleMessage(c, report, now()));
    return [...heard, ...core.handleTick(now())];
  }).flat();
  const newLeaders = later.flatMap((a) =>
    a.kind === "send" && a.message.body.case === "assignment"
      ? [a.message.body.value.referenceHost]
      : [],
  );
  expect(newLeaders).toContain(5);
  const [last] = core.memory.hosts.filter(({ hello }) => hello.hostId === "h1");
  expect(last.connected).toBe(true);
});
