export * from "./core/index.ts";
export { Coordinator, type CoordinatorOptions } from "./shell/server.ts";
