export { SimulatedHost } from "./host.ts";
export type { Method } from "./replay/edge-window.ts";
export { readPlan, type TracePlan } from "./replay/plan.ts";
export type { OddCounts, OddKind } from "./replay/probe-buffer.ts";
export { type ClosedRound, type Estimate, Replay } from "./replay/replay.ts";
export { type ScenarioName, scenarios } from "./traces/scenarios.ts";
export { Trace, type TraceOptions } from "./traces/trace.ts";
export { defaultWorld, World, type WorldOptions } from "./world.ts";
