export { AgentCore, type AgentAction, type AgentOptions } from "./core/agent.ts";
export { type NowStatus, nowStatus } from "./core/now.ts";
export { type AgentStatus, agentStatus, type NeighbourStatus } from "./core/status.ts";
export { Agent, type ReadyConfig } from "./shell/agent.ts";
export { openLog } from "./shell/log.ts";
