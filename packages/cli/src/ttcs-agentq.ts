/** `ttcs-agentq`: asks the agent on this host how its clock stands. */
import { setTimeout as sleep } from "node:timers/promises";
import { SOFTWARE_VERSION } from "@ttcs/units";
import { Command, InvalidArgumentError } from "commander";
import { AgentClient, type Answers } from "./agentq/client.ts";
import { fail } from "./fail.ts";
import { endQuietlyWithoutReader } from "./process-life.ts";

const DEFAULT_ADDRESS = "/run/ttcs/agent.sock";

interface AgentqOptions {
  readonly address: string;
  readonly json?: boolean;
  readonly every?: number;
}

const interval = (text: string): number => {
  const seconds = Number(text);
  if (seconds >= 0.01 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError("give seconds, 0.01 to 3600.");
};

/** The answer for people; tables are loaded only when one is printed, machines ask more often. */
async function pageOf(answer: Answers[keyof Answers]): Promise<string> {
  const { formatNow, formatStatus } = await import("./agentq/format.ts");
  return "neighbours" in answer ? formatStatus(answer) : formatNow(answer);
}

/** Asks once, or again and again on one connection; with --json and --every, a line each. */
async function ask(request: keyof Answers, options: AgentqOptions): Promise<void> {
  const client = new AgentClient(options.address);
  const indent = options.every === undefined ? 2 : 0;
  do {
    const answer = await client.ask(request);
    if (options.json) console.log(JSON.stringify(answer, null, indent));
    else console.log(await pageOf(answer));
    if (options.every !== undefined) await sleep(options.every * 1000);
  } while (options.every !== undefined);
  client.close();
}

const program = new Command("ttcs-agentq")
  .description("Shows the status of the TTCS agent on this host.")
  .version(SOFTWARE_VERSION)
  .argument("[request]", '"status", or "now" for one instant on all clocks', "status")
  .option("-a, --address <path>", "the agent's Unix socket, or host:port", DEFAULT_ADDRESS)
  .option("--json", "print JSON")
  .option("--every <seconds>", "ask again and again; with --json one line each", interval)
  .action(async (request: string, options: AgentqOptions) => {
    if (request !== "status" && request !== "now") {
      fail(`unknown request "${request}"; ask "status" or "now"`);
    }
    await ask(request, options).catch((error: Error) => fail(error.message, 1));
  });

endQuietlyWithoutReader();
await program.parseAsync();
