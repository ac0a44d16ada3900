/**
 * What is read back from disks and databases: the agent's state, a domain's memory, the logs of virtual
 * clocks. What is accepted is put to use.
 *
 * The first byte of an input says what the text behind it is. A checksum finds damage, not a forger, so
 * most changed states get the right one.
 */
import { create } from "@bufbuild/protobuf";
import { type AgentAction, AgentCore, agentStatus } from "@ttcs/agent/core";
import { DomainCore, memoryFromText, memoryToText } from "@ttcs/coordinator/core";
import { AgentMessageSchema } from "@ttcs/protocol";
import { SimulatedHost, World } from "@ttcs/simulator";
import { hashText, rawNanos, TtcsError } from "@ttcs/units";
import { parseState } from "../../../packages/agent/src/core/saved-state.ts";
import { parseLine } from "../../../packages/timestamper/src/virtual/control-log.ts";
import { deedOf } from "../../../packages/timestamper/src/virtual/foreign.ts";
import { changeJson } from "../json.ts";
import { ByteMutator } from "../mutate.ts";
import { below, chance, type FuzzTarget, must } from "../target.ts";

const [STATE, MEMORY, CONTROL, FOREIGN] = [0, 1, 2, 3];
const BOOT = "boot";
const WORLD_S = 20;
const UNIX_NS = 1_795_305_600_000_000_000n;
const BATCH_NS = 50e6;
/** Most changes of a document. */
const CHANGES_MAX = 3;

export function stateTarget(): FuzzTarget {
  const mutator = new ByteMutator([
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "1e999",
    "\\u0000",
    "\n",
  ]);
  const { saved, memory, savedAtNs } = sample();
  const typed = (kind: number, text: string) => Buffer.concat([Buffer.of(kind), Buffer.from(text)]);
  return {
    cases: 50_000,
    // Read once, at a start.
    limitMs: 100,
    seeds: [
      ...saved.map((text) => typed(STATE, text)),
      typed(MEMORY, memory),
      typed(CONTROL, '{"rawNs":"123","kind":"frequency","value":-1.5}'),
      typed(FOREIGN, '{"kind":"step","stepNs":1e6}'),
      typed(FOREIGN, '{"kind":"rate","ratePpb":-5e5}'),
    ],
    mutate(random, pool) {
      const from = Buffer.from(pool[below(random, pool.length)]);
      if (chance(random, 25)) return mutator.mutate(random, pool);
      try {
        let json = JSON.parse(from.toString("utf8", 1));
        for (let i = below(random, CHANGES_MAX); i >= 0; i--) json = changeJson(json, random);
        if (from[0] === STATE && chance(random, 95))
          json.checksum = hashText(JSON.stringify(json.body));
        return typed(from[0], JSON.stringify(json));
      } catch {
        return mutator.change(random, from, pool);
      }
    },
    run(input) {
      const text = Buffer.from(input).toString("utf8", 1);
      if (input[0] === STATE) return useState(text, savedAtNs);
      if (input[0] === MEMORY) return useMemory(text);
      return input[0] === CONTROL ? useControl(text) : useForeign(text);
    },
  };
}

/** What a world's agents save, and what its coordinator leaves. */
function sample(): { saved: string[]; memory: string; savedAtNs: bigint } {
  const world = new World({ seed: 3, hosts: 4 });
  const saved: string[] = [];
  for (const { core } of world.nodes) core.handleStart(undefined, BOOT, rawNanos(0n));
  world.run(WORLD_S);
  for (const { core } of world.nodes) saved.push(...textsOf(core.handleEnd()));
  return {
    saved,
    memory: memoryToText(world.server!.memory),
    savedAtNs: world.nodes[1].core.nowRawNs,
  };
}

const textsOf = (actions: readonly AgentAction[]): string[] =>
  actions.flatMap((action) => (action.kind === "save" ? [action.text] : []));

function useState(text: string, savedAtNs: bigint): boolean {
  const { ok } = parseState(text);
  const core = new AgentCore({
    hostId: "h2",
    domain: "default",
    correctClock: true,
    coordinatorAddress: "server:6176",
  });
  const host = new SimulatedHost("h2", 1, UNIX_NS, 0, 0);
  host.reboot(-Number(savedAtNs));
  const startNs = 2e9;
  core.handleStart(text, BOOT, rawNanos(host.rawAt(startNs)));
  for (let beat = 1; beat <= 3; beat++) {
    const atNs = startNs + beat * BATCH_NS;
    for (const action of core.handleBatch(host.batch(atNs, BATCH_NS, false))) {
      if (action.kind === "adjust")
        must(Math.abs(action.freqPpb) <= 500_000, "a setting out of range");
      must(action.kind !== "step", "a step out of a file");
    }
  }
  const identity = { hostId: "h2", domain: "default", correctClock: true };
  JSON.stringify(agentStatus(core, identity, core.nowRawNs));
  for (const again of textsOf(core.handleEnd())) {
    must(parseState(again).ok, "a state that cannot be read again");
  }
  return ok;
}

function useMemory(text: string): boolean {
  const memory = memoryFromText(text);
  if (!memory) return false;
  must(memoryFromText(memoryToText(memory)) !== undefined, "a memory that cannot be read again");
  const core = new DomainCore({
    domain: "default",
    term: 2n,
    pairsPerSecond: 50,
    meshSeed: 1,
    memory,
  });
  const now = (monotonicMs: number) => ({ monotonicMs, unixNs: UNIX_NS });
  core.handleTick(now(0));
  const value = { hostId: "h2", bootId: "h2 0", clockQuality: 1 };
  const hello = create(AgentMessageSchema, {
    header: { domain: "default" },
    body: { case: "hello", value },
  });
  core.handleMessage(1, hello, now(10));
  core.handleTick(now(3_000));
  core.handleClose(1, now(4_000));
  core.handleTick(now(70_000));
  must(
    memoryFromText(memoryToText(core.memory)) !== undefined,
    "what is left of it cannot be read",
  );
  return true;
}

function useControl(text: string): boolean {
  try {
    const { value } = parseLine(text, "clock-1.jsonl");
    must(typeof value === "number", "a write without a value");
    return true;
  } catch (error) {
    if (!(error instanceof TtcsError)) throw error;
    return false;
  }
}

function useForeign(text: string): boolean {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return false;
  }
  const deed = deedOf(json);
  must(deed === undefined || Number.isFinite(deed.value), "a deed without a finite value");
  return deed !== undefined;
}
