/** Runs one scenario, slice by slice, so that whoever runs it can look up in between. */
import { FigureBook, type SimFigures } from "./figures.ts";
import { type SimChanges, simOptions } from "./options.ts";
import { missed, type Scenario, withoutErrors } from "./scenario.ts";
import { Simulation } from "./simulation.ts";

/**
 * Cheaper to run: fewer pairs, fewer clock readings, and few batches, which end just after a round
 * may be flushed, 20 ms after its close, so that no round has to wait for them.
 */
export const LIGHT: SimChanges = {
  pairsPerSecond: 10,
  batchNs: 250e6,
  batchPhaseNs: 30e6,
  triplesPerBatch: 3,
};

/** Simulated time between two looks up (ns). */
const SLICE_NS = 250e6;

/** How a run ended. */
export interface RunResult {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly seconds: number;
  readonly hosts: number;
  readonly figures: SimFigures;
  /** The limits that were missed, in words. */
  readonly missed: readonly string[];
}

/** What a caller changes of a scenario. */
export interface RunChanges extends SimChanges {
  readonly seconds?: number;
  /** Cheaper to run and less accurate: limits on errors are not judged. */
  readonly light?: boolean;
}

/**
 * Runs a scenario; yields how far it is (simulated s), returns the result.
 *
 * @param open is given the world before anything happens, to look into it
 */
export function* runScenario(
  scenario: Scenario,
  { seconds = scenario.seconds, light = false, ...changes }: RunChanges,
  open: (world: Simulation) => void = () => {},
): Generator<number, RunResult> {
  const world = new Simulation(simOptions(scenario.world, light ? LIGHT : {}, changes));
  const book = new FigureBook(world, scenario.settleS);
  open(world);
  const endNs = seconds * 1e9;
  for (let atNs = SLICE_NS; atNs < endNs; atNs += SLICE_NS) {
    world.run(atNs);
    yield atNs / 1e9;
  }
  world.run(endNs);
  const { figures } = book;
  const { seed, hosts } = world.options;
  const limits = light ? withoutErrors(scenario.limits) : scenario.limits;
  return { scenario, seed, seconds, hosts, figures, missed: missed(limits, figures) };
}

/** Runs a scenario to its end at once. */
export function runToEnd(scenario: Scenario, changes: RunChanges = {}): RunResult {
  const run = runScenario(scenario, changes);
  for (;;) {
    const step = run.next();
    if (step.done) return step.value;
  }
}
