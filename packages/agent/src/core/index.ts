export type { AgentAction, AgentOptions } from "./actions.ts";
export { AgentCore } from "./agent.ts";
export { Keeper } from "./keeper.ts";
export { type NowStatus, nowStatus } from "./now.ts";
export { toSegment } from "./obedience.ts";
export { ProbeKeys } from "./probe-keys.ts";
export { type AgentStatus, agentStatus, type NeighbourStatus } from "./status.ts";
