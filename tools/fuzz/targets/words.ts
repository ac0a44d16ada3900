/**
 * Short texts from people and other programs: arguments, addresses, answers of an agent.
 *
 * The first byte of an input says what the text behind it is.
 */
import type { AgentStatus, NowStatus } from "@ttcs/agent";
import { agentStatus } from "@ttcs/agent/core";
import { parseKinds, simScenarios, World } from "@ttcs/simulator";
import { parseFailpoints } from "@ttcs/units";
import { DialPlan } from "../../../packages/agent/src/core/dial-plan.ts";
import { answerOf } from "../../../packages/cli/src/agentq/client.ts";
import { formatNow, formatStatus } from "../../../packages/cli/src/agentq/format.ts";
import { parseForeign } from "../../../packages/cli/src/lab/foreign.ts";
import { chooseScenarios, parseSeeds } from "../../../packages/cli/src/simulate/choose.ts";
import { changeJson } from "../json.ts";
import { ByteMutator } from "../mutate.ts";
import { below, chance, type FuzzTarget, must } from "../target.ts";

/** What the text is, by the first byte. */
const readers: readonly ((text: string) => boolean)[] = [
  (text) => isPage(text, "status"),
  (text) => isPage(text, "now"),
  (text) => {
    try {
      const { atS } = parseForeign(text);
      must(atS >= 0, "a time before the beginning");
      return true;
    } catch (error) {
      must((error as Error).message.startsWith("give "), "an error that does not help");
      return false;
    }
  },
  (text) => (parseSeeds(text)?.length ?? 0) > 0,
  (text) => Array.isArray(chooseScenarios(text.split(" "), simScenarios)),
  (text) => Array.isArray(parseKinds(text.split(","))),
  (text) => Array.isArray(parseFailpoints(text)),
  (text) => {
    const plan = new DialPlan(["server:6176"]);
    plan.next(0.5);
    plan.redirected(text, text.split(","));
    const { address, waitMs, patienceMs } = plan.next(0.5);
    must(!/[\s\p{Cc}]/u.test(address) && waitMs >= 0 && patienceMs > 0, "a call to nowhere");
    return address === text;
  },
];

const TERMINAL = /(?!\n)\p{Cc}/u;

/** What an agent answers, as a page for people; it must not steer their terminal. */
function isPage(text: string, request: "status" | "now"): boolean {
  const answer = answerOf(text, request);
  const isFault = typeof answer === "string";
  const page = isFault
    ? answer
    : request === "status"
      ? formatStatus(answer as AgentStatus)
      : formatNow(answer as NowStatus);
  must(!TERMINAL.test(page), "a control character on a terminal");
  return !isFault;
}

function seeds(): Uint8Array[] {
  const world = new World({ seed: 3, hosts: 4 });
  world.run(5);
  const { core } = world.nodes[1];
  const identity = { hostId: "h2", domain: "default", correctClock: true };
  const now = {
    host: "h2",
    kernel_monotonic_raw_ns: "12",
    system_ns: "13",
    domain_ns: "14",
    bound_ns: 1e3,
    domain_bound_ns: 1.5,
    sigma_ns: null,
    utc_bound_ns: null,
    state: "LOCKED",
  };
  const texts = [
    JSON.stringify(agentStatus(core, identity, core.nowRawNs)),
    JSON.stringify(now),
    "h3@30:slew=-200.5",
    "3-17",
    "441-442 s1 011",
    "kill-agent,pause",
    "server.start=kill,agent.close=pause",
    "10.0.0.1:6176,[::1]:6176,a.b:1",
  ];
  return texts.map((text, kind) => Buffer.concat([Buffer.of(kind), Buffer.from(text)]));
}

export function wordsTarget(): FuzzTarget {
  const mutator = new ByteMutator([
    "@",
    ":",
    "=",
    "-",
    ",",
    ".",
    "[",
    "]",
    "\u001b[2J",
    "\u009b2J",
    "1e9",
    "99999999999",
  ]);
  return {
    cases: 50_000,
    limitMs: 50,
    seeds: seeds(),
    mutate(random, pool) {
      const from = Buffer.from(pool[below(random, pool.length)]);
      if (from[0] > 1 || chance(random, 30)) return mutator.change(random, from, pool);
      try {
        const json = changeJson(changeJson(JSON.parse(from.toString("utf8", 1)), random), random);
        return Buffer.concat([Buffer.of(from[0]), Buffer.from(JSON.stringify(json))]);
      } catch {
        return mutator.change(random, from, pool);
      }
    },
    run(input) {
      const text = Buffer.from(input).toString("utf8", 1);
      return readers[(input[0] ?? 0) % readers.length](text);
    },
  };
}
