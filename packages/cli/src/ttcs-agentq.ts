/** `ttcs-agentq`: asks the agent on this host how its clock stands. */
import { Command } from "commander";
import { askOnce } from "./agentq/client.ts";
import { formatNow, formatStatus } from "./agentq/format.ts";
import { fail } from "./fail.ts";

const DEFAULT_ADDRESS = "/run/ttcs/agent.sock";

const program = new Command("ttcs-agentq")
  .description("Shows the status of the TTCS agent on this host.")
  .version("1.0.21")
  .argument("[request]", '"status", or "now" for one instant on all clocks', "status")
  .option("-a, --address <path>", "the agent's Unix socket, or host:port", DEFAULT_ADDRESS)
  .option("--json", "print JSON")
  .action(async (request: string, options: { address: string; json?: boolean }) => {
    if (request !== "status" && request !== "now") {
      fail(`unknown request "${request}"; ask "status" or "now"`);
    }
    const answer = await askOnce(options.address, request).catch((error: Error) =>
      fail(error.message),
    );
    if (options.json) console.log(JSON.stringify(answer, null, 2));
    else console.log(request === "now" ? formatNow(answer) : formatStatus(answer));
  });

await program.parseAsync();
