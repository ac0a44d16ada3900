export * from "./core/index.ts";
export { Agent, type ReadyConfig } from "./shell/agent.ts";
export { openLog } from "./shell/log.ts";
