export * from "./bench/index.ts";
export { SimulatedHost } from "./host.ts";
export type { Fitter, Method } from "./replay/edge-window.ts";
export { readPlan, type TracePlan } from "./replay/plan.ts";
export type { OddCounts, OddKind } from "./replay/probe-buffer.ts";
export { type ClosedRound, type Estimate, Replay } from "./replay/replay.ts";
export { simScenarios } from "./scenarios/index.ts";
export type { Percentiles, SimFigures } from "./sim/figures.ts";
export { ORACLE_RULES, type OracleRule, type Violation } from "./sim/oracle.ts";
export { type RunChanges, type RunResult, runScenario, runToEnd } from "./sim/run.ts";
export type { Limits, Scenario } from "./sim/scenario.ts";
export { type EventKind, usualKinds } from "./swarm/events.ts";
export type { FailureEvent, Schedule } from "./swarm/schedule.ts";
export {
  type Failed,
  type KindCount,
  parseKinds,
  runSwarmJob,
  type SwarmDone,
  type SwarmJob,
} from "./swarm/sweep.ts";
export { type ScenarioName, scenarios } from "./traces/scenarios.ts";
export { Trace, type TraceOptions } from "./traces/trace.ts";
export { defaultWorld, World, type WorldOptions } from "./world.ts";
