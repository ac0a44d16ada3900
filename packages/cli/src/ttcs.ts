/** `ttcs`: the programs of Tick Tock Clock Sync. */
import { SOFTWARE_VERSION } from "@ttcs/units";
import { Command, InvalidArgumentError, Option } from "commander";
import { runAgent } from "./commands/agent.ts";
import { runBenchAccuracy } from "./commands/bench.ts";
import { runBenchCost } from "./commands/bench-cost.ts";
import { runBenchStreams, runBenchStreamsLoad } from "./commands/bench-streams.ts";
import {
  runHostEnd,
  runHostList,
  runTokenEnd,
  runTokenList,
  runTokenNew,
} from "./commands/identity.ts";
import { runLab, runLabTraffic } from "./commands/lab.ts";
import { runReplay } from "./commands/replay.ts";
import { runServer } from "./commands/server.ts";
import { runSimulate } from "./commands/simulate.ts";
import { DEED_NAMES, USUAL_DEED_NAMES } from "./lab/chaos/deeds.ts";
import { type ForeignHand, parseForeign } from "./lab/foreign.ts";
import { PROFILE_NAMES } from "./lab/profiles.ts";

/** Two hosts cannot outvote a third. */
const HOSTS_MIN = 3;
const HOSTS_MAX = 64;

const number = (low: number, high: number, whole: boolean) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value))) {
    return value;
  }
  throw new InvalidArgumentError(
    `give ${whole ? "a whole number" : "a number"}, ${low} to ${high}.`,
  );
};
const foreignHands = (text: string, before: readonly ForeignHand[] = []): ForeignHand[] => {
  try {
    return [...before, parseForeign(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};
const wholeNumber = (low: number, high: number) => number(low, high, true);
const hostCounts = (text: string, before: readonly number[] = []): number[] => [
  ...before,
  wholeNumber(3, 20_000)(text),
];
const deedNames = (text: string): string[] => {
  const names = text === "all" ? [...USUAL_DEED_NAMES] : text.split(",");
  const unknown = names.find((name) => !DEED_NAMES.includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`no deed is called ${unknown}; give ${DEED_NAMES.join(", ")}.`);
};
const hostCount = (text: string): number => {
  const count = wholeNumber(1, HOSTS_MAX)(text);
  if (count >= HOSTS_MIN) return count;
  throw new InvalidArgumentError(`a domain needs three hosts; give 3 to ${HOSTS_MAX}.`);
};

const program = new Command("ttcs")
  .description("Keeps the clocks of a fleet of Linux hosts together, and shows that it does.")
  .version(SOFTWARE_VERSION);

/** Where the servers' state lies. */
const withState = (command: Command): Command =>
  command
    .option(
      "--database <url>",
      "postgres://user@host/name, shared by all servers (default: a file in the state folder)",
    )
    .option("--state-dir <folder>", "folder of what must survive", "/var/opt/ttcs/server")
    .option(
      "--authority-key <file>",
      "opens the authority's private key, the same on all servers (default: authority.key in the state folder)",
    );

withState(program.command("server"))
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
  .option(
    "--seats <count>",
    "how many hosts of a domain may enrol (default: any number)",
    wholeNumber(1, 1e6),
  )
  .option("--advertise <address>", "host or host:port where agents reach this server")
  .option("--server-id <name>", "this server among those of one database (default: hostname)")
  .option("--log-dir <folder>", "folder of ttcs-server.log (default: standard output)", "")
  .option("--status-socket <path>", 'Unix socket that answers "status" (default: none)')
  .action(runServer);

program
  .command("agent")
  .description("run the agent of this host")
  .option("--config <file>", "configuration file", "/etc/opt/ttcs/ttcs-agent.cfg")
  .action(runAgent);

const token = program.command("token").description("what hosts enrol with");
withState(token.command("new"))
  .description("make a token; prints the lines for the agents' configuration, this once")
  .option("--domain <name>", "the domain that hosts enrol in", "default")
  .option(
    "--days <days>",
    "how long it is valid (default: until it is ended)",
    number(0.001, 36_500, false),
  )
  .action(runTokenNew);
withState(token.command("list")).description("list tokens").action(runTokenList);
withState(token.command("end"))
  .description("nobody enrols with it any more; hosts that have are not touched")
  .argument("<token>", "its id, as ttcs token list shows it, or the whole token")
  .action(runTokenEnd);

const host = program.command("host").description("hosts that have enrolled");
withState(host.command("list")).description("list hosts with a certificate").action(runHostList);
withState(host.command("remove"))
  .description("end the certificate of a machine that is gone or made anew")
  .argument("<host>", "its host_id")
  .option("--domain <name>", "its domain", "default")
  .action(runHostEnd("removed"));
withState(host.command("revoke"))
  .description("end the certificate of a machine whose key may be in wrong hands")
  .argument("<host>", "its host_id")
  .option("--domain <name>", "its domain", "default")
  .action(runHostEnd("revoked"));

program
  .command("lab")
  .description("run a whole domain on this machine: one server, N agents with virtual clocks")
  .option("--hosts <count>", "how many agents (3 to 64)", hostCount, 8)
  .option("--seconds <seconds>", "how long (default: until Ctrl-C)", number(1, 1e7, false))
  .option("--seed <seed>", "seed of clocks and links", wholeNumber(0, 2 ** 32 - 1), 1)
  .addOption(
    new Option("--profile <name>", "conditions of all links")
      .choices(PROFILE_NAMES)
      .default("quiet"),
  )
  .option("--cross-traffic", "real queues: a shaper before each host, and bursts of datagrams")
  .option("--nat", "the server beyond a NAT that forgets quiet connections (needs nftables)")
  .option("--pairs-per-second <rate>", "coded pairs on each directed edge", number(1, 500, false))
  .option("--loopback", "no network namespaces, also as root")
  .option("--ipv6", "IPv6 for everything")
  .option("--no-slew", "no slew of the reference's clock (2 ms, 30 s after the start)")
  .option(
    "--foreign <what...>",
    "another hand: HOST@SECONDS:slew=PPM, :step=MS or :setting=PPM",
    foreignHands,
  )
  .option("--record <folder>", "record the probes of all hosts")
  .option("--json <file>", "processes while running, the summary at the end")
  .option("--demo", "say what to look at")
  .option("--servers <count>", "how many servers (1 to 4)", wholeNumber(1, 4))
  .option(
    "--chaos [deeds]",
    "break it by a plan and judge it: all, or names with commas",
    deedNames,
  )
  .option("--quick", "with --chaos: watch each deed for a shorter time")
  .action(runLab);

// The laboratory starts it; of no use to anybody else.
program
  .command("lab-traffic", { hidden: true })
  .argument("<address...>")
  .requiredOption("--mbit <rate>", "towards each address (Mbit/s)", number(0.1, 1e4, false))
  .requiredOption("--seed <seed>", "seed of the bursts", wholeNumber(0, 2 ** 32 - 1))
  .action(runLabTraffic);

program
  .command("replay")
  .description("recorded probes in, estimates out")
  .argument("[trace]", "folder with trace.json and probes.csv or probes.csv.gz")
  .option("--out <file>", "where the estimates go (CSV)")
  .option("--method <name>", "default or paper", "default")
  .option("--report <file>", "where a report goes (HTML)")
  .action(runReplay);

program
  .command("simulate")
  // Status 1 is for limits that were missed.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .description("seeded worlds around the real cores of agents and coordinator, judged by limits")
  .argument("[scenario...]", "names, numbers or ranges of them like 441-445 (default: all)")
  .option("--list", "say what there is")
  .option("--seed <seed>", "seed of everything random", wholeNumber(0, 2 ** 32 - 1), 1)
  .option("--seeds <range>", "one run for each seed of a range, like 1-20")
  .option("--seconds <seconds>", "simulated time of each run", number(1, 1e6, false))
  .option("--hosts <count>", "hosts of each world (3 to 10000)", wholeNumber(3, 10_000))
  .option("--neighbours <count>", "neighbours of each host (2 to 100)", wholeNumber(2, 100))
  .option("--pairs-per-second <rate>", "coded pairs on each directed edge", number(1, 500, false))
  .option("--light", "10 pairs a second, fewer readings: quick, for bounds and steps only")
  .option(
    "--swarm <count>",
    "so many random schedules of failures, one a seed",
    wholeNumber(1, 1e6),
  )
  .option("--kinds <event...>", "with --swarm: draw from these kinds of events only")
  .option("--paper", "worlds with regions: the paper's method beside ours, on the same probes")
  .option("--json <file>", "where all figures go (JSON)")
  .action(runSimulate);

const bench = program.command("bench").description("claims as numbers that anybody can reproduce");

bench
  .command("accuracy")
  .description("seeded worlds: ours beside the paper's method, the anchors and an oracle")
  .option("--scenario <name...>", "only these worlds")
  .option("--seeds <count>", "seeds of each world (1 to 1000)", wholeNumber(1, 1000))
  .option("--first-seed <seed>", "the first of them", wholeNumber(0, 2 ** 32 - 1001), 1)
  .option("--seconds <seconds>", "length of each recording (20 to 100000)", number(20, 1e5, false))
  .option("--hosts <count>", "hosts of each world (3 to 200)", wholeNumber(3, 200))
  .option("--quick", "a glance at the main worlds, below a minute")
  .option("--check", "status 1 when a goal is missed")
  .option("--report <file>", "where a report goes (HTML)")
  .option("--json <file>", "where all figures go (JSON)")
  .action(runBenchAccuracy);

bench
  .command("cost")
  .description("what a round of the coordinator and a fit of an agent cost, and how that grows")
  .option("--hosts <count...>", "sizes to measure (3 to 20000)", hostCounts)
  .option(
    "--neighbours <count>",
    "neighbours of each host, about (2 to 50)",
    wholeNumber(2, 50),
    10,
  )
  .option("--rounds <count>", "rounds measured of each size (3 to 1000)", wholeNumber(3, 1000), 21)
  .option("--seed <seed>", "seed of meshes and clocks", wholeNumber(0, 2 ** 32 - 1), 1)
  .option("--json <file>", "where all figures go (JSON)")
  .action(runBenchCost);

bench
  .command("streams")
  .description("how many agents one server serves, how punctually, and what it costs")
  .option("--agents <count>", "agents (3 to 10000)", wholeNumber(3, 10_000), 1_000)
  .option("--seconds <seconds>", "length of each measured stretch", number(2, 1e5, false), 60)
  .option("--processes <count>", "processes that the agents live in", wholeNumber(1, 64), 2)
  .option("--restart", "kill the server at the end, start it again, and wait for all")
  .option(
    "--stalled <count>",
    "readers that stall, in a stretch of their own",
    wholeNumber(0, 1000),
    0,
  )
  .option("--seed <seed>", "seed of clocks and noise", wholeNumber(0, 2 ** 32 - 1), 1)
  .option("--json <file>", "where all figures go (JSON)")
  .action(runBenchStreams);

// The benchmark of streams starts it; of no use to anybody else.
program
  .command("bench-streams-load", { hidden: true })
  .argument("<plan>")
  .action(runBenchStreamsLoad);

await program.parseAsync();
