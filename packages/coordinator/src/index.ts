export * from "./core/index.ts";
export {
  Coordinator,
  type CoordinatorDoor,
  type CoordinatorOptions,
} from "./shell/server.ts";
