/** Random pauses of servers: who is obeyed while two of them believe that they lead? */
import { Prng } from "@ttcs/units";
import {
  type LeaseFigures,
  type LeaseTrouble,
  LeaseWorld,
  type LeaseWorldOptions,
} from "./lease-world.ts";

/** How long a schedule goes on (s). */
export const TRIAL_S = 45;
const FROM_S = 5;
const UNTIL_S = 35;
const AGENTS = 4;

/** Draws pauses, and now and then a kill, an outage or a slow time of the whole database. */
export function drawTroubles(seed: number, servers: number): LeaseTrouble[] {
  const random = new Prng(seed);
  const count = 1 + Math.floor(6 * random.uniform());
  const troubles: LeaseTrouble[] = [];
  for (let i = 0; i < count; i++) {
    const atS = random.between(FROM_S, UNTIL_S);
    const forS = Math.min(0.5 * (30 / 0.5) ** random.uniform(), UNTIL_S + 5 - atS);
    const draw = random.uniform();
    const kind =
      draw < 0.7 ? "stop" : draw < 0.8 ? "kill" : draw < 0.9 ? "database down" : "database slow";
    // The first one leads at the beginning, and most often later on.
    const server = Math.floor(servers * random.uniform() ** 2);
    const trouble = { kind, atS, forS, server, latencyS: random.between(0.05, 2) } as const;
    const overlaps = (t: LeaseTrouble) =>
      t.kind.startsWith("database") === kind.startsWith("database") &&
      (kind.startsWith("database") || t.server === server) &&
      atS <= t.atS + t.forS &&
      t.atS <= atS + forS;
    if (!troubles.some(overlaps)) troubles.push(trouble);
  }
  return troubles;
}

/** Runs the schedule of a seed, with two or three servers; every other agent is slow to leave. */
export function runLeaseTrial(seed: number, options: LeaseWorldOptions = {}): LeaseFigures {
  const servers = 2 + (seed % 2);
  const world = new LeaseWorld(seed, servers, AGENTS, { patient: true, ...options });
  world.trouble(drawTroubles(seed, servers));
  return world.run(TRIAL_S);
}
