export * from "./core/index.ts";
export { ENROLMENT_PATH } from "./shell/enrolment-service.ts";
export { Authority } from "./shell/identity/authority.ts";
export { openAuthority } from "./shell/identity/open-authority.ts";
export { type NewToken, newToken, parseToken } from "./shell/identity/token.ts";
export type { CoordinatorDoor, CoordinatorOptions } from "./shell/options.ts";
export { Coordinator } from "./shell/server.ts";
