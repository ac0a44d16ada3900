export { type Action, DomainCore, type DomainOptions, MINIMUM_HOSTS } from "./domain.ts";
