/** `ttcs lab`: a whole domain on this machine. */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fail } from "../fail.ts";
import { serversObstacle } from "../lab/backstage.ts";
import { USUAL_DEED_NAMES } from "../lab/chaos/deeds.ts";
import { Chaos } from "../lab/chaos/run.ts";
import type { ForeignHand } from "../lab/foreign.ts";
import { Laboratory, LOOK_EVERY_MS } from "../lab/laboratory.ts";
import type { ProfileName } from "../lab/profiles.ts";
import { recordText, Screen, summaryText, tableText, trafficText } from "../lab/screen.ts";
import { runTraffic } from "../lab/traffic.ts";
import { endQuietlyWithoutReader, endWithParent } from "../process-life.ts";

interface LabCommandOptions {
  readonly hosts: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly profile: ProfileName;
  readonly crossTraffic?: boolean;
  readonly nat?: boolean;
  readonly pairsPerSecond?: number;
  readonly loopback?: boolean;
  readonly ipv6?: boolean;
  readonly slew: boolean;
  readonly foreign?: readonly ForeignHand[];
  readonly record?: string;
  readonly json?: string;
  readonly demo?: boolean;
  readonly servers?: number;
  readonly chaos?: readonly string[] | true;
  readonly quick?: boolean;
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
  // Before anything is made that would have to be removed again.
  let ending = false;
  let laboratory: Laboratory | undefined;
  const stop = () => {
    ending = true;
    laboratory?.stopStarting();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  endQuietlyWithoutReader();
  laboratory = openLaboratory(options);
  const traffic = options.crossTraffic ? ", cross traffic" : "";
  const head = `laboratory: ${hosts} hosts ${laboratory.place}, seed ${seed}, links ${profile}`;
  process.stdout.write(`${head}${traffic}\n`);
  if (laboratory.replacesRecording) {
    process.stdout.write(`the recording in ${options.record} will be replaced\n`);
  }
  if (options.demo) process.stdout.write(demoText(hosts));
  // A signal that has come meanwhile is heard now.
  await new Promise((resume) => setImmediate(resume));
  try {
    await laboratory.start();
    if (options.demo && !ending) process.stdout.write(tryText(laboratory));
    if (options.chaos) return await breakIt(laboratory, options, () => ending);
    const screen = new Screen();
    while (!ending && laboratory.figures.elapsedS < (options.seconds ?? Infinity)) {
      const rows = await laboratory.look();
      const { columns = 80, rows: lines = 24 } = process.stdout;
      screen.draw(tableText(rows, laboratory.figures.elapsedS, { columns, lines }));
      await sleep(LOOK_EVERY_MS);
    }
  } catch (error) {
    laboratory.finish(await laboratory.end());
    fail(`ttcs lab: ${(error as Error).message}`, 1);
  }
  const summary = await laboratory.end();
  process.stdout.write(`${summaryText(summary)}\n${trafficText(laboratory.crossTraffic)}`);
  const faults = laboratory.finish(summary);
  process.stdout.write(recordText(options.record, laboratory.recorded));
  for (const fault of faults) process.stderr.write(`ttcs lab: ${fault}\n`);
  process.exit(faults.length > 0 ? 1 : 0);
}

/** Breaks it by the plan; status 1 when a bar was missed. */
async function breakIt(
  laboratory: Laboratory,
  { chaos, quick }: LabCommandOptions,
  isEnding: () => boolean,
): Promise<void> {
  const names = chaos === true ? USUAL_DEED_NAMES : chaos!;
  const plan = new Chaos(laboratory, names, quick ?? false);
  const watchEnd = setInterval(() => {
    if (isEnding()) plan.stop();
  }, LOOK_EVERY_MS);
  const results = await plan.run();
  clearInterval(watchEnd);
  const faults = laboratory.finish(await laboratory.end(), results);
  for (const fault of faults) process.stderr.write(`ttcs lab: ${fault}\n`);
  const missed = isEnding() || results.some(({ ok }) => !ok);
  process.exit(missed || faults.length > 0 ? 1 : 0);
}

function openLaboratory(options: LabCommandOptions): Laboratory {
  const { hosts, seed, profile, json, pairsPerSecond, record } = options;
  try {
    return new Laboratory({
      hosts,
      servers: options.servers ?? (options.chaos && serversObstacle() === undefined ? 2 : 1),
      chaos: options.chaos !== undefined,
      seconds: options.seconds ?? Infinity,
      seed,
      profile,
      json,
      pairsPerSecond,
      loopback: options.loopback ?? false,
      ipv6: options.ipv6 ?? false,
      crossTraffic: options.crossTraffic ?? false,
      nat: options.nat ?? false,
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
