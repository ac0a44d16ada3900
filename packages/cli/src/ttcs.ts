/** `ttcs`: the programs of Tick Tock Clock Sync. */
import { SOFTWARE_VERSION } from "@ttcs/units";
import { Command, InvalidArgumentError } from "commander";
import { runAgent } from "./commands/agent.ts";
import { runLab } from "./commands/lab.ts";
import { runServer } from "./commands/server.ts";

const number = (low: number, high: number, whole: boolean) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value))) {
    return value;
  }
  throw new InvalidArgumentError(
    `give ${whole ? "a whole number" : "a number"}, ${low} to ${high}.`,
  );
};
const wholeNumber = (low: number, high: number) => number(low, high, true);

const program = new Command("ttcs")
  .description("Keeps the clocks of a fleet of Linux hosts together, and shows that it does.")
  .version(SOFTWARE_VERSION);

program
  .command("server")
  .description("run the coordinator")
  .option("--listen <address>", "address to listen on", "0.0.0.0")
  .option("--port <port>", "TCP port for agents (0: a free one)", wholeNumber(0, 65_535), 6176)
  .option(
    "--pairs-per-second <rate>",
    "coded pairs on each directed edge",
    number(1, 500, false),
    50,
  )
  .option("--domain <name...>", "domains to run", ["default"])
  .option("--log-dir <folder>", "folder of ttcs-server.log (default: standard output)", "")
  .action(runServer);

program
  .command("agent")
  .description("run the agent of this host")
  .option("--config <file>", "configuration file", "/etc/opt/ttcs/ttcs-agent.cfg")
  .action(runAgent);

program
  .command("lab")
  .description("run a whole domain on this machine: one server, N agents with virtual clocks")
  .option("--hosts <count>", "how many agents", wholeNumber(1, 64), 8)
  .option("--seconds <seconds>", "how long (default: until Ctrl-C)", number(1, 1e7, false))
  .option("--seed <seed>", "seed of clocks and links", wholeNumber(0, 2 ** 32 - 1), 1)
  .option("--json <file>", "processes while running, the summary at the end")
  .option("--demo", "say what to look at")
  .action(runLab);

await program.parseAsync();
