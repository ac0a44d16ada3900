export { type Action, DomainCore, type DomainOptions, MINIMUM_HOSTS } from "./core/domain.ts";
export { Coordinator, type CoordinatorOptions } from "./shell/server.ts";
