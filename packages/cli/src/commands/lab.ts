/** `ttcs lab`: a whole domain on this machine. */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "../fail.ts";
import type { ForeignHand } from "../lab/foreign.ts";
import { Laboratory, LOOK_EVERY_MS } from "../lab/laboratory.ts";
import type { ProfileName } from "../lab/profiles.ts";
import { recordText, Screen, summaryText, tableText, trafficText } from "../lab/screen.ts";
import { runTraffic } from "../lab/traffic.ts";
import { endWithParent } from "../process-life.ts";

interface LabCommandOptions {
  readonly hosts: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly profile: ProfileName;
  readonly crossTraffic?: boolean;
  readonly pairsPerSecond?: number;
  readonly loopback?: boolean;
  readonly ipv6?: boolean;
  readonly slew: boolean;
  readonly foreign?: readonly ForeignHand[];
  readonly record?: string;
  readonly json?: string;
  readonly demo?: boolean;
}

/** Shorter runs end before the reference has been slewed and followed for a while (s). */
const SLEW_FROM_S = 60;

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
  const { hosts, seed, profile } = options;
  const laboratory = openLaboratory(options);
  const traffic = options.crossTraffic ? ", cross traffic" : "";
  const head = `laboratory: ${hosts} hosts ${laboratory.place}, seed ${seed}, links ${profile}`;
  process.stdout.write(`${head}${traffic}\n`);
  if (options.demo) process.stdout.write(demoText(hosts));
  let ending = false;
  const stop = () => {
    ending = true;
    laboratory.stopStarting();
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
      const { columns = 80, rows: lines = 24 } = process.stdout;
      screen.draw(tableText(rows, laboratory.figures.elapsedS, { columns, lines }));
      await sleep(LOOK_EVERY_MS);
    }
  } catch (error) {
    await laboratory.end();
    fail(`ttcs lab: ${(error as Error).message}`, 1);
  }
  const summary = await laboratory.end();
  process.stdout.write(`${summaryText(summary)}\n${trafficText(laboratory.crossTraffic)}`);
  process.stdout.write(recordText(options.record, laboratory.recorded));
  process.exit(0);
}

function openLaboratory(options: LabCommandOptions): Laboratory {
  const { hosts, seed, profile, json, pairsPerSecond, record } = options;
  try {
    return new Laboratory({
      hosts,
      seed,
      profile,
      json,
      pairsPerSecond,
      loopback: options.loopback ?? false,
      ipv6: options.ipv6 ?? false,
      crossTraffic: options.crossTraffic ?? false,
      slew: options.slew && (options.seconds ?? Infinity) > SLEW_FROM_S,
      // Agents may run in another folder.
      recordDir: record === undefined ? undefined : resolve(record),
      foreign: options.foreign ?? [],
    });
  } catch (error) {
    return fail(`ttcs lab: ${(error as Error).message}`);
  }
}

/** The sender of cross traffic, a process of the laboratory's. */
export async function runLabTraffic(
  targets: readonly string[],
  options: { readonly mbit: number; readonly seed: number },
): Promise<void> {
  endWithParent();
  await runTraffic({ targets, ...options });
}
