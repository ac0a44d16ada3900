export * from "./core/index.ts";
export { Agent, type ProcessStatus, type ReadyConfig } from "./shell/agent.ts";
export { Buckets } from "./shell/buckets.ts";
export { CoordinatorLink } from "./shell/coordinator-link.ts";
export { prefixed } from "./shell/counters.ts";
export { Door } from "./shell/door.ts";
export { openLog } from "./shell/log.ts";
export { type CpuSeconds, partsOf } from "./shell/meter.ts";
export { type StatusServer, serveStatus } from "./shell/status-socket.ts";
