/** Public entry of the store. */
export type { DomainMemoryStore, StoredMemory } from "./domain-memory-store.ts";
export type { LeaseClaim, LeaseRow, LeaseStore } from "./lease-store.ts";
export type { StoreResult } from "./result.ts";
export type { ServerRegistry, ServerRow } from "./server-registry.ts";
export { openStore, type Store } from "./store.ts";
