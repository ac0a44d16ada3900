/** Keys for probes from their dealing to the gate: coordinator's core, two agents' keys, and their gates. */
import { create } from "@bufbuild/protobuf";
import { ProbeKeys } from "@ttcs/agent/core";
import { DomainCore } from "@ttcs/coordinator/core";
import {
  AgentMessageSchema,
  createProbeFields,
  decodeProbe,
  type EdgeKeys,
  encodeProbe,
  type Neighbour,
  PROBE_BYTES,
  PROBE_COVERED_BYTES,
  ProbeGate,
  sealProbe,
} from "@ttcs/protocol";
import { hashText, Prng, rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";

/** No secrets here: a sum that depends on every byte is as good as a MAC for what is tested. */
const sumOf = (key: Uint8Array, data: Uint8Array, length: number): Uint8Array => {
  const seed = hashText(String.fromCharCode(...key, ...data));
  const random = new Prng(seed);
  return Uint8Array.from({ length }, () => Math.floor(256 * random.uniform()));
};
const mac = {
  keyOf: (bytes: Uint8Array) => bytes,
  mac: (key: Uint8Array, data: Uint8Array) => sumOf(key, data, 16),
};
const MS = 1_000_000;
const DEALS_TAKE_MS_MAX = 5_000;

/** An agent: what it was dealt, its keys and its gate, and what it counts. */
class End {
  readonly number: number;
  readonly keys = new ProbeKeys();
  readonly gate = new ProbeGate(mac);
  readonly refused: string[] = [];
  accepted = 0;
  #edges: readonly EdgeKeys[] = [];
  #probe: number;

  constructor(number: number, firstProbe: number) {
    this.number = number;
    this.#probe = firstProbe;
  }

  dealt(neighbours: readonly Neighbour[], nowMs: number): void {
    this.#use(this.keys.assign(neighbours, rawNanos(BigInt(nowMs) * BigInt(MS))));
  }

  poll(nowMs: number): void {
    const keys = this.keys.poll(rawNanos(BigInt(nowMs) * BigInt(MS)));
    if (keys) this.#use(keys);
  }

  #use(keys: readonly EdgeKeys[]): void {
    this.#edges = keys;
    this.gate.setKeys(keys);
  }

  /** A probe to another host; undefined: there is no key for it. */
  send(to: End): Uint8Array | undefined {
    const key = this.#edges.find((e) => e.hostNumber === to.number)?.send;
    if (!key) return undefined;
    const bytes = new Uint8Array(PROBE_BYTES);
    const hosts = { fromHost: this.number, toHost: to.number };
    const rest = { domainNumber: 117, probe: this.#probe++, keyNumber: key.number, flags: 0 };
    encodeProbe(bytes, 0, { ...hosts, ...rest });
    sealProbe(bytes, 0, mac, key.key, new Uint8Array(PROBE_COVERED_BYTES));
    return bytes;
  }

  hear(bytes: Uint8Array): void {
    const fields = createProbeFields();
    const why = decodeProbe(bytes, 0, PROBE_BYTES, fields) ?? this.gate.judge(bytes, 0, fields);
    if (why === undefined) this.accepted++;
    else this.refused.push(why);
  }
}

/** Three agents on one coordinator; what it deals arrives after a while, drawn for each message. */
class World {
  readonly #random = new Prng(8);
  readonly #ends = new Map<number, End>();
  readonly #mail: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly #lastMs = new Map<End, number>();
  readonly #lives = [0, 1, 1, 1];
  #core: DomainCore;
  #secret = 1;
  nowMs = 0;

  constructor() {
    this.#core = this.#newCore();
    for (let host = 1; host <= 3; host++) this.start(host);
  }

  #newCore(memory?: DomainCore["memory"]): DomainCore {
    const secret = Uint8Array.of(this.#secret++);
    return new DomainCore({
      domain: "default",
      term: 1n,
      pairsPerSecond: 50,
      meshSeed: 1,
      ...(memory ? { memory } : {}),
      deriveProbeKey: (label) => sumOf(secret, label, 34),
    });
  }

  end(host: number): End {
    return this.#ends.get(host)!;
  }

  /** An agent starts, for the first time or again: it knows no key. */
  start(host: number): void {
    if (this.#ends.has(host)) {
      this.#take(this.#core.handleClose(this.#streamOf(host), this.#now()));
    }
    this.#lives[host]++;
    this.#ends.set(host, new End(host, this.nowMs));
    this.#join(host);
  }

  /** Another coordinator takes over: everybody greets it, as he is. */
  takeOver(): void {
    this.#core = this.#newCore(this.#core.memory);
    for (let host = 1; host <= 3; host++) this.#join(host);
  }

  /** Every life of an agent has a stream of its own. */
  #streamOf(host: number): number {
    return 100 * this.#lives[host] + host;
  }

  #join(host: number): void {
    const instance = Uint8Array.of(host, this.#lives[host]);
    const at = { probeAddress: `10.0.0.${host}`, managementAddress: `10.0.0.${host}` };
    const value = { hostId: `h${host}`, clockQuality: 1, bootId: "b", instance, ...at };
    const message = create(AgentMessageSchema, {
      header: { domain: "default" },
      body: { case: "hello", value },
    });
    this.#take(this.#core.handleMessage(this.#streamOf(host), message, this.#now()));
  }

  #take(actions: ReturnType<DomainCore["handleTick"]>): void {
    for (const a of actions) {
      if (a.kind !== "send" || a.message.body.case !== "assignment") continue;
      const { neighbours } = a.message.body.value;
      const host = a.connection % 100;
      const end = this.end(host);
      const drawnMs = this.nowMs + DEALS_TAKE_MS_MAX * this.#random.uniform();
      // On one stream nothing overtakes.
      const atMs = Math.max(drawnMs, this.#lastMs.get(end) ?? 0);
      this.#lastMs.set(end, atMs);
      this.#mail.push({ atMs, run: () => this.#deliver(host, end, neighbours) });
    }
  }

  #deliver(host: number, end: End, neighbours: readonly Neighbour[]): void {
    // To a process that has ended meanwhile nothing is delivered.
    if (this.end(host) === end) end.dealt(neighbours, this.nowMs);
  }

  #now() {
    return { monotonicMs: this.nowMs, unixNs: 0n };
  }

  /** Time goes on; all probe all, ten times a second, and `tap` hears every probe. */
  run(seconds: number, tap: (bytes: Uint8Array, to: number) => void = () => {}): void {
    for (const endMs = this.nowMs + 1e3 * seconds; this.nowMs < endMs; this.nowMs += 100) {
      this.#take(this.#core.handleTick(this.#now()));
      for (const { run } of this.#mail.filter((m) => m.atMs <= this.nowMs)) run();
      this.#mail.splice(0, Infinity, ...this.#mail.filter((m) => m.atMs > this.nowMs));
      for (const from of this.#ends.values()) {
        from.poll(this.nowMs);
        for (const to of this.#ends.values()) {
          const probe = from === to ? undefined : from.send(to);
          if (!probe) continue;
          tap(probe, to.number);
          to.hear(probe);
        }
      }
    }
  }

  refused(): string[] {
    return [...this.#ends.values()].flatMap((e) => e.refused.splice(0));
  }
}

const HOUR_S = 3_600;

test("keys roll every 50 minutes without a lost probe, though deals arrive up to five seconds apart", () => {
  const world = new World();
  world.run(10);
  world.refused();
  const numbers = new Set<number>();
  world.run(HOUR_S, (bytes) => numbers.add((bytes[56] << 8) | bytes[57]));
  expect(world.refused()).toEqual([]);
  // Six directed edges, two generations each.
  expect(numbers.size).toBe(12);
});

test("another coordinator's keys take over without a lost probe", () => {
  const world = new World();
  world.run(10);
  world.refused();
  world.takeOver();
  world.run(60);
  expect(world.refused()).toEqual([]);
});

test("an agent that starts again is heard as soon as both ends were told, and what was captured before is not", () => {
  const world = new World();
  const captured: Uint8Array[] = [];
  world.run(20, (bytes, to) => {
    if (to === 2) captured.push(bytes);
  });
  world.start(2);
  world.run(DEALS_TAKE_MS_MAX / 1e3);
  const before = world.end(2).accepted;
  world.refused();
  world.run(10);
  expect(world.end(2).accepted).toBe(before + 200);
  expect(world.refused()).toEqual([]);
  expect(captured.length).toBeGreaterThan(200);
  for (const bytes of captured) world.end(2).hear(bytes);
  expect(world.end(2).accepted).toBe(before + 200);
  expect(new Set(world.refused())).toEqual(new Set(["unknown key"]));
});
