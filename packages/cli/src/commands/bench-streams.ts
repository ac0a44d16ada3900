/** `ttcs bench streams`: how many agents' streams one server serves, and how punctually. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Load, type LoadPlan } from "../bench-streams/load.ts";
import type { LoadMessage, LoadQuestion } from "../bench-streams/load-process.ts";
import { loadText } from "../bench-streams/machine.ts";
import { type StreamsPlan, StreamsRun } from "../bench-streams/run.ts";
import { missedLimits, resultText } from "../bench-streams/table.ts";
import { fail, reasonOf } from "../fail.ts";
import { endQuietlyWithoutReader, endWithParent } from "../process-life.ts";

/** The command's options, as they come from the command line. */
export interface BenchStreamsOptions {
  readonly agents: number;
  readonly seconds: number;
  readonly processes: number;
  readonly seed: number;
  readonly restart?: boolean;
  readonly stalled: number;
  readonly json?: string;
}

/** From the bundle in dist, or from the source in src/commands. */
const up = import.meta.url.endsWith(".ts") ? "../../" : "../";
const program = fileURLToPath(new URL(`${up}bin/ttcs.js`, import.meta.url));

/** Measures, prints, and ends with status 1 when a limit was missed. */
export async function runBenchStreams(options: BenchStreamsOptions): Promise<void> {
  endQuietlyWithoutReader();
  const { agents, seconds, processes, seed, stalled, json } = options;
  const plan: StreamsPlan = {
    agents,
    seconds,
    processes,
    seed,
    stalled,
    restart: options.restart ?? false,
    program,
  };
  const print = (text: string) => process.stdout.write(text);
  print(`${agents} streams from ${processes} processes, seed ${seed}; ${loadText()}\n`);
  const run = new StreamsRun(plan, (text) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  });
  const stop = () => void run.close().then(() => process.exit(130));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const result = await run.run().catch(async (error: Error) => {
    await run.close();
    return fail(`ttcs bench streams: ${error.message}`, 1);
  });
  await run.close();
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  print(`${resultText(result, plan)}${loadText()} at the end\n`);
  const missed = missedLimits(result);
  for (const line of missed) print(`missed: ${line}\n`);
  if (missed.length === 0) print("no limit missed\n");
  if (json !== undefined) {
    try {
      writeFileSync(json, `${JSON.stringify({ plan, result, missed }, null, 2)}\n`);
    } catch (error) {
      fail(`ttcs bench streams: ${json}: cannot be written: ${reasonOf(error)}`, 1);
    }
  }
  process.exit(missed.length > 0 ? 1 : 0);
}

/** A process full of agents, started by the benchmark. */
export function runBenchStreamsLoad(text: string): void {
  endWithParent();
  const load = new Load(JSON.parse(text) as LoadPlan);
  const send = (message: LoadMessage) => process.send?.(message, undefined, undefined, () => {});
  process.on("message", ({ ask }: { readonly ask: LoadQuestion }) => {
    if (ask === "open") load.open();
    else if (ask === "tally") send({ kind: "tally", tally: load.tally() });
    else send({ kind: "back", back: load.back() });
  });
  load
    .enrol((news) => send({ kind: "news", news }))
    .catch((error: Error) => fail(`a host could not enrol: ${error.message}`, 1));
}
