/** `ttcs lab`: a whole domain on this machine. */
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "../fail.ts";
import { Laboratory, type LaboratoryOptions, LOOK_EVERY_MS } from "../lab/laboratory.ts";
import { Screen, summaryText, tableText } from "../lab/screen.ts";

interface LabCommandOptions {
  readonly hosts: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly json?: string;
  readonly demo?: boolean;
}

const demoText = (hosts: number) => `
${hosts} agents, each with its own clock (up to 20 ppm, up to 5 ms off), one server.
What to look at:
  state       LOCKED within seconds; break something (below) and watch it
  true error  distance to domain time, which only the laboratory knows
  bound       what the agents guarantee: always larger than the true error
`;

const tryText = (laboratory: Laboratory) => `What to try in another terminal:
  npx ttcs-agentq --address ${laboratory.statusPath(1)}
  kill -9 ${laboratory.pid("h3")}    an agent: it is started again and locks again
  kill -9 ${laboratory.pid("server")}    the server: everybody holds over with a growing bound
`;

/** Runs until the time is over or a signal comes; cleans up either way. */
export async function runLab(options: LabCommandOptions): Promise<void> {
  const { hosts, seed, json } = options;
  if (options.demo) process.stdout.write(demoText(hosts));
  process.stdout.write(`laboratory: ${hosts} hosts, seed ${seed}\n`);
  const laboratory = openLaboratory({ hosts, seed, json });
  let ending = false;
  const stop = () => {
    ending = true;
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", stop);
  try {
    await laboratory.start();
    if (options.demo && hosts >= 3) process.stdout.write(tryText(laboratory));
    const screen = new Screen();
    while (!ending && laboratory.figures.elapsedS < (options.seconds ?? Infinity)) {
      const rows = await laboratory.look();
      screen.draw(tableText(rows, laboratory.figures.elapsedS, process.stdout.columns ?? 80));
      await sleep(LOOK_EVERY_MS);
    }
  } catch (error) {
    await laboratory.end();
    fail(`ttcs lab: ${(error as Error).message}`, 1);
  }
  process.stdout.write(`${summaryText(await laboratory.end())}\n`);
  process.exit(0);
}

function openLaboratory(options: LaboratoryOptions): Laboratory {
  try {
    return new Laboratory(options);
  } catch (error) {
    return fail(`ttcs lab: ${(error as Error).message}; choose another --json file`);
  }
}
