/**
 * The worlds of the accuracy table, and what is asked of the estimator in each.
 *
 * Goals are ratios of p99 of |error|: to the paper's method on the same probes, and to the best
 * setting of chrony in the same world. Worlds whose name begins with "second" come from a generator
 * that is built otherwise (`traces/second`), so that nothing is tuned to one author's queues.
 */
import type { ScenarioName } from "../traces/scenarios.ts";
import { SecondTrace, type SecondWorldName } from "../traces/second/trace.ts";
import { Trace, type TraceOptions } from "../traces/trace.ts";
import { anchors } from "./anchors.ts";
import type { World } from "./run.ts";

/** What a world is made of, besides seed and length. */
type Made = Partial<Omit<TraceOptions, "seed" | "seconds" | "scenario">> & { hosts?: number };

/** One world of the table. */
export interface BenchWorld {
  readonly name: string;
  readonly title: string;
  readonly scenario: ScenarioName | { readonly second: SecondWorldName };
  readonly made: Made;
  /** Hosts, unless the caller wants another number. */
  readonly hosts: number;
  readonly pairsPerSecond: number;
  /** Ratio to the paper's method that is asked for; none without. */
  readonly paperGoal?: number;
  /** Ratio to the best chrony that is asked for; none without. */
  readonly chronyGoal?: number;
  /** Figures of other programs in this world. */
  readonly anchor?: ScenarioName;
  /** It has asymmetry that no probe tells. */
  readonly asymmetric: boolean;
  /** Nor does a loop: sigma is judged about each host's mean error, the rest belongs to the bound. */
  readonly aboutMean: boolean;
  /** Part of the quick table. */
  readonly quick: boolean;
}

const PAIRS_PER_SECOND = 100;
const HOSTS = 10;
const SPARSE_HOSTS = 20;

type Extra = Partial<Omit<BenchWorld, "name" | "title" | "scenario" | "made">> & { made?: Made };

const world = (
  name: string,
  title: string,
  scenario: BenchWorld["scenario"],
  { made = {}, hosts = HOSTS, pairsPerSecond = PAIRS_PER_SECOND, ...rest }: Extra = {},
): BenchWorld => ({
  name,
  title,
  scenario,
  made,
  hosts,
  pairsPerSecond,
  asymmetric: false,
  aboutMean: false,
  quick: false,
  ...rest,
});

/** One of the worlds of the anchors, with a row at chrony's own packet budget beside it. */
function anchored(
  name: "S1" | "S2" | "S3" | "S4",
  title: string,
  chronyGoal: number,
  neighbours: number,
) {
  const rate = anchors[name]!.chrony.exchangesPerS;
  // A client's exchange is two packets, and so is a coded pair.
  const pairsPerSecond = rate / neighbours;
  const made = neighbours < HOSTS - 1 ? { neighbours } : {};
  return [
    world(name, title, name, { chronyGoal, anchor: name, quick: name === "S1" || name === "S2" }),
    world(`${name}-budget`, `${name} with chrony's packets, ${neighbours} neighbours`, name, {
      made,
      pairsPerSecond,
      anchor: name,
    }),
  ];
}

const rate = (pairsPerSecond: number) =>
  world(`rate-${pairsPerSecond}`, `40 % load, ${pairsPerSecond} pairs/s`, "load40", {
    pairsPerSecond,
  });

const sparse = (neighbours: number) =>
  world(`sparse-${neighbours}`, `40 % load, 20 hosts, ${neighbours} neighbours`, "load40", {
    hosts: SPARSE_HOSTS,
    made: { neighbours },
  });

const second = (name: SecondWorldName, title: string, rest: Extra = {}) =>
  world(`second-${name}`, `second generator: ${title}`, { second: name }, rest);

const biased = { biasedShare: 0.15, biasNsMin: 300, biasNs: 1_500 } as const;

/** The table. */
export const benchWorlds: readonly BenchWorld[] = [
  world("idle", "idle, hardware stamps", "idle", { paperGoal: 0.15, quick: true }),
  world("load40", "40 % load, hardware stamps", "load40", { paperGoal: 0.15, quick: true }),
  world("load60", "60 % load", "load60", { paperGoal: 0.25 }),
  world("load80", "80 % load", "load80", { paperGoal: 0.25, quick: true }),
  world("load90", "90 % load", "load90"),
  world("software", "40 % load, software stamps", "software", { paperGoal: 0.3, quick: true }),
  world("biased", "40 % load, 15 % of the edges biased by 0.3 to 1.5 us", "load40", {
    made: biased,
    paperGoal: 0.05,
    quick: true,
  }),
  world("swing", "40 % load, 1 ppm swings of 30 to 60 s", "load40", {
    made: { swing: "strong" },
    paperGoal: 0.1,
    quick: true,
  }),
  world("ramp", "40 % load, swings of up to 0.05 ppm/s", "load40", { made: { swing: "ramp" } }),
  world("early8", "40 % load, 8 % early stamps", "load40", { made: { earlyShare: 0.08 } }),
  ...anchored("S1", "S1 quiet LAN", 0.1, 4),
  ...anchored("S2", "S2 40 % load, 4 hops", 0.03, 9),
  ...anchored("S3", "S3 85 % load, 4 hops", 0.15, 9),
  ...anchored("S4", "S4 cloud, software stamps", 0.2, 9),
  world("S5", "S5 two regions, software stamps", "S5", {
    anchor: "S5",
    asymmetric: true,
    aboutMean: true,
  }),
  world("S6", "S6 as S2, every link asymmetric", "S6", { anchor: "S6", asymmetric: true }),
  world("S6-each", "S6, each direction 0 to 8 us for itself", "S6", {
    made: { asymmetry: "each" },
    anchor: "S6",
    asymmetric: true,
  }),
  sparse(3),
  sparse(5),
  ...[1, 5, 20, 50, 500].map(rate),
  second("idle", "idle", { paperGoal: 0.15 }),
  second("bursts", "bursts over three hops", { paperGoal: 0.25, quick: true }),
  second("software", "software stamps", { paperGoal: 0.3 }),
  second("biased", "bursts, 15 % of the edges biased", { paperGoal: 0.05 }),
  second("swing", "bursts, two swings of the temperature", { paperGoal: 0.1 }),
];

/** How to make a recording of a world. */
export interface MakeOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly hosts?: number | undefined;
}

/** Makes a world's recording, to be run. */
export function makeWorld(bench: BenchWorld, { seed, seconds, hosts }: MakeOptions): World {
  const { scenario, made, pairsPerSecond } = bench;
  const common = { ...made, seed, seconds, pairsPerSecond, hosts: hosts ?? bench.hosts };
  const trace =
    typeof scenario === "string"
      ? new Trace({ ...common, scenario })
      : new SecondTrace({ ...common, world: scenario.second });
  return {
    plan: trace.plan,
    zeros: trace.zeros,
    floorNs: (from, to) => trace.floorNs(from, to),
    run: (row, truth, probe) => trace.run(row, truth, probe),
  };
}
