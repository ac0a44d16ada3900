/** `ttcs lab`: a whole domain on this machine. */
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "../fail.ts";
import { Laboratory, LOOK_EVERY_MS } from "../lab/laboratory.ts";
import { Screen, summaryText, tableText } from "../lab/screen.ts";

interface LabCommandOptions {
  readonly hosts: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly json?: string;
  readonly demo?: boolean;
}

const DEMO_TEXT = `Eight agents, each with a clock of its own (up to 20 ppm and 5 ms off), and one server.
Look at: "true error", the distance to domain time that the laboratory knows and the agents do not;
"bound", which must always be larger; and "state", which turns LOCKED within seconds.
In another terminal: npx ttcs-agentq --address STATUS-SOCKET (see --json FILE for the paths).
`;

/** Runs until the time is over or a signal comes; cleans up either way. */
export async function runLab(options: LabCommandOptions): Promise<void> {
  const { hosts, seed, json } = options;
  if (options.demo) process.stdout.write(DEMO_TEXT);
  process.stdout.write(`laboratory: ${hosts} hosts, seed ${seed}\n`);
  const laboratory = new Laboratory({ hosts, seed, json });
  let ending = false;
  const stop = () => {
    ending = true;
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    await laboratory.start();
    const screen = new Screen();
    while (!ending && laboratory.figures.elapsedS < (options.seconds ?? Infinity)) {
      const rows = await laboratory.look();
      screen.draw(tableText(rows, laboratory.figures.elapsedS));
      await sleep(LOOK_EVERY_MS);
    }
  } catch (error) {
    await laboratory.end();
    fail(`ttcs lab: ${(error as Error).message}`, 1);
  }
  process.stdout.write(`${summaryText(await laboratory.end())}\n`);
  process.exit(0);
}
