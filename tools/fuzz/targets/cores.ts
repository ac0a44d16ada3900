/**
 * What agents, neighbours and a coordinator do with messages that are well-formed and wrong.
 *
 * A small world of the shipped cores goes on all the time; an input is a list of deeds in it: a message
 * that was said in earnest a moment ago is changed in some of its fields and handed to a core as if a
 * host, a neighbour, a stranger or the coordinator had sent it; agents and coordinators are replaced. What
 * comes out of a core must be what the process around it can send, write and read again.
 *
 * Deeds are six bytes each: kind, whom, and the seed of the change. They build upon each other, so what is
 * kept of a finding is all that led to it, made small.
 */
import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import type { AgentAction } from "@ttcs/agent/core";
import { type Action, memoryFromText, memoryToText } from "@ttcs/coordinator/core";
import {
  type AgentMessage,
  AgentMessageSchema,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  type ExchangeFlush,
  ExchangeFlushSchema,
  readReport,
} from "@ttcs/protocol";
import { World } from "@ttcs/simulator";
import { Prng, rawNanos } from "@ttcs/units";
import { parseState } from "../../../packages/agent/src/core/saved-state.ts";
import { implausible } from "../../../packages/coordinator/src/shell/plausible.ts";
import { changeMessage } from "../message.ts";
import { below, chance, type FuzzTarget, must, pick } from "../target.ts";

const HOSTS = 4;
/** The world before the first deed (s): everybody is LOCKED or nearly so. */
const WARM_UP_S = 8;
/** What passes after an input (s). */
const STEP_S = 0.1;
/** Inputs of one world. */
const LIFE_INPUTS = 500;
/** Streams of strangers. */
const STRANGERS_FROM = 1_000_000;
const STRANGERS = 16;
const DEED_BYTES = 6;
const DEEDS_MAX = 12;
const CHANGES_MAX = 3;
/** Messages of one kind that are remembered, to be said again in another way. */
const SAID_MAX = 4;
/** A world's agents do not probe faster or further than this: it has to send every probe itself. */
const PAIRS_PER_SECOND_MAX = 50;
const TARGETS_MAX = 2 * HOSTS;
/** The kernel takes no more (ppb). */
const FREQ_LIMIT_PPB = 500_000;
/** What is longer is not received (bytes). */
const MESSAGE_BYTES_MAX = 1 << 20;
/** A message that was slow is said again so often, to see whether it is always slow. */
const TRIES = 5;

type Node = World["nodes"][number];

/** Kinds of deeds, those that come more often more often. */
const DEEDS = [
  ..."rrrrrrrrrrrr", // a report, or another message of a host, on its stream
  ..."ssss", // the same, on a stranger's stream
  ..."ccccccccccc", // a coordinator's message
  ..."ffffffffff", // a neighbour's flush
  ..."ww", // time passes
  ..."h", // a stream ends
  ..."a", // an agent is started again
  ..."b", // a machine boots
  ..."k", // another coordinator, with or without a memory
] as const;

/** The world and what was said in it. */
class Stage {
  readonly world = new World({ seed: 7, hosts: HOSTS });
  readonly #said = new Map<string, Message[]>();
  /** The newest state of each host, as text. */
  readonly #saved = new Map<string, string>();
  readonly #random = new Prng(1);
  /** What is said now was not said in earnest. */
  #isForging = false;
  longestMs = 0;

  constructor() {
    for (const node of this.world.nodes) {
      this.watchAgent(node);
      this.#begin(node);
    }
    this.watchServer();
    this.world.run(WARM_UP_S);
  }

  /** Does a deed. */
  do(kind: string, who: number, recipe: number): void {
    const { world } = this;
    const node = world.nodes[who % HOSTS];
    const random = new Prng(recipe);
    if (kind === "r") this.#toServer(node, random);
    else if (kind === "s") this.#toServer(STRANGERS_FROM + (who % STRANGERS), random);
    else if (kind === "c") this.#toAgent(node, random);
    else if (kind === "f") this.#toNeighbour(node, random);
    else if (kind === "w") world.run(STEP_S * (1 + (recipe % 10)));
    else if (kind === "h") world.hangUp(who < 128 ? node : STRANGERS_FROM + (who % STRANGERS));
    else if (kind === "a" || kind === "b") {
      if (kind === "a") world.startAgent(node);
      else world.reboot(node);
      this.watchAgent(node);
      this.#begin(node);
    } else this.#replaceServer(who);
  }

  /** An agent goes on with what its last life has saved. */
  #begin(node: Node): void {
    const saved = this.#saved.get(node.host.id);
    node.core.handleStart(saved, `boot ${node.boots}`, rawNanos(node.host.rawAt(this.world.nowNs)));
  }

  #replaceServer(who: number): void {
    const { world } = this;
    if (!world.server) return;
    const text = memoryToText(world.server.memory);
    const memory = memoryFromText(text);
    must(memory !== undefined, "a memory that cannot be read again");
    world.killServer();
    world.startServer(who < 200 ? memory : undefined);
    this.watchServer();
  }

  #toServer(who: Node | number, random: Prng): void {
    const { world } = this;
    const bytes = this.#changed(AgentMessageSchema, random);
    if (!bytes) return;
    const message = readReport(bytes) ?? fromBinary(AgentMessageSchema, bytes);
    // As the server does before the core hears of it.
    if (message.header?.domain !== "default") return;
    if (message.body.case === "hello" && implausible(message.body.value)) return;
    this.#timed(() => world.inject(who, message));
  }

  #toAgent(node: Node, random: Prng): void {
    const bytes = this.#changed(CoordinatorMessageSchema, random);
    if (!bytes) return;
    this.#timed(() => this.world.tell(node, fromBinary(CoordinatorMessageSchema, bytes)));
    node.pairsPerSecond = Math.min(node.pairsPerSecond || 0, PAIRS_PER_SECOND_MAX);
    node.targets = node.targets.slice(0, TARGETS_MAX);
  }

  #toNeighbour(node: Node, random: Prng): void {
    const bytes = this.#changed(ExchangeFlushSchema, random);
    if (!bytes) return;
    const flush = fromBinary(ExchangeFlushSchema, bytes);
    // Flushes for others are of no interest to anybody.
    if (chance(random, 80)) flush.toHost = node.core.hostNumber;
    this.#timed(() => this.world.exchange(node, flush));
  }

  /** Something that was said lately, with other words in it. */
  #changed(desc: DescMessage, random: Prng): Uint8Array | undefined {
    const kinds = [...this.#said.keys()].filter((kind) => kind.startsWith(desc.typeName));
    if (kinds.length === 0) return undefined;
    const said = pick(random, this.#said.get(pick(random, kinds))!);
    const message = fromBinary(desc, toBinary(desc, said));
    for (let i = below(random, CHANGES_MAX + 1); i > 0; i--) changeMessage(desc, message, random);
    const bytes = toBinary(desc, message);
    return bytes.length <= MESSAGE_BYTES_MAX ? bytes : undefined;
  }

  /** The longest of all that was done since this was set to 0; done again where it was long. */
  #timed(work: () => void): void {
    let leastMs = Number.POSITIVE_INFINITY;
    this.#isForging = true;
    for (let i = 0; i < TRIES && leastMs > SLOW_MS; i++) {
      const beforeMs = performance.now();
      work();
      leastMs = Math.min(leastMs, performance.now() - beforeMs);
    }
    this.#isForging = false;
    this.longestMs = Math.max(this.longestMs, leastMs);
  }

  #remember(desc: DescMessage, message: Message, kind = ""): void {
    if (this.#isForging) return;
    const key = `${desc.typeName} ${kind}`;
    const list = this.#said.get(key) ?? [];
    this.#said.set(key, list);
    if (list.length < SAID_MAX) list.push(message);
    else list[below(this.#random, SAID_MAX)] = message;
  }

  /** Looks at all that goes into an agent's core and comes out of it. */
  watchAgent(node: Node): void {
    const { core } = node;
    const message = core.handleMessage.bind(core);
    core.handleMessage = (m: CoordinatorMessage, nowRawNs) => {
      this.#remember(CoordinatorMessageSchema, m, m.body.case);
      return checkedAgent(message(m, nowRawNs));
    };
    const flush = core.handleFlush.bind(core);
    core.handleFlush = (f: ExchangeFlush) => {
      this.#remember(ExchangeFlushSchema, f);
      return checkedAgent(flush(f));
    };
    const batch = core.handleBatch.bind(core);
    core.handleBatch = (b) => {
      const actions = checkedAgent(batch(b));
      for (const a of actions) if (a.kind === "save") this.#saved.set(node.host.id, a.text);
      return actions;
    };
  }

  watchServer(): void {
    const server = this.world.server!;
    const message = server.handleMessage.bind(server);
    server.handleMessage = (connection, m: AgentMessage, now) => {
      this.#remember(AgentMessageSchema, m, m.body.case);
      return checkedServer(message(connection, m, now));
    };
    const tick = server.handleTick.bind(server);
    server.handleTick = (now) => checkedServer(tick(now));
  }
}

/** Below this nothing is done again (ms). */
const SLOW_MS = 2;

/** What an agent's core wants must be something that can be done. */
function checkedAgent(actions: AgentAction[]): AgentAction[] {
  for (const action of actions) {
    if (action.kind === "flush") toBinary(ExchangeFlushSchema, action.message);
    else if (action.kind === "report") toBinary(AgentMessageSchema, action.message);
    else if (action.kind === "save") {
      const read = parseState(action.text);
      must(read.ok, `a state that cannot be read again: ${read.ok ? "" : read.reason}`);
    } else if (action.kind === "adjust" || action.kind === "step") {
      must(Math.abs(action.freqPpb) <= FREQ_LIMIT_PPB, `a frequency of ${action.freqPpb} ppb`);
    } else if (action.kind === "errors") {
      must(action.maxErrorNs >= 0 && action.estErrorNs >= 0, "an error below 0");
    }
    if (action.kind === "step") {
      const isInstant = Number.isInteger(action.stepNs) && Math.abs(action.stepNs) < 2 ** 63;
      must(isInstant, `a step of ${action.stepNs} ns`);
    }
  }
  return actions;
}

function checkedServer(actions: Action[]): Action[] {
  for (const action of actions) {
    if (action.kind === "send") toBinary(CoordinatorMessageSchema, action.message);
    else if (action.kind === "remember") {
      const memory = memoryFromText(memoryToText(action.memory));
      must(memory !== undefined, "a memory that cannot be read again");
    }
  }
  return actions;
}

export function coresTarget(): FuzzTarget {
  let stage: Stage | undefined;
  const input = new Uint8Array(DEEDS_MAX * DEED_BYTES);
  const view = new DataView(input.buffer);
  return {
    cases: 12_000,
    limitMs: 50,
    seeds: [],
    mutate(random) {
      const deeds = 1 + below(random, DEEDS_MAX);
      for (let i = 0; i < deeds; i++) {
        input[i * DEED_BYTES] = below(random, DEEDS.length);
        input[i * DEED_BYTES + 1] = random.next();
        view.setUint32(i * DEED_BYTES + 2, random.next());
      }
      return input.subarray(0, deeds * DEED_BYTES);
    },
    run(bytes) {
      stage ??= new Stage();
      const { world } = stage;
      stage.longestMs = 0;
      const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at + DEED_BYTES <= bytes.length; at += DEED_BYTES) {
        stage.do(DEEDS[bytes[at] % DEEDS.length], bytes[at + 1], words.getUint32(at + 2));
        if (at % (DEEDS_MAX * DEED_BYTES) === 0) world.run(STEP_S);
      }
      world.log.length = 0;
      return true;
    },
    life: {
      inputs: LIFE_INPUTS,
      begin: () => {
        stage = new Stage();
      },
      longestMs: () => stage?.longestMs ?? 0,
    },
  };
}
