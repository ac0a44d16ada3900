export * from "./core/index.ts";
export type { CoordinatorDoor, CoordinatorOptions } from "./shell/options.ts";
export { Coordinator } from "./shell/server.ts";
