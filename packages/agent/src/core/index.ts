export { type AgentAction, AgentCore, type AgentOptions } from "./agent.ts";
export { type NowStatus, nowStatus } from "./now.ts";
export { type AgentStatus, agentStatus, type NeighbourStatus } from "./status.ts";
