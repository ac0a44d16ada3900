/** Public entry of the store. */
export type { AuthorityRow, AuthorityStore } from "./authority-store.ts";
export type {
  CertificateRow,
  CertificateStore,
  EndKind,
  EnrolmentAnswer,
  NewCertificate,
} from "./certificate-store.ts";
export type { DomainMemoryStore, StoredMemory } from "./domain-memory-store.ts";
export type { LeaseClaim, LeaseRow, LeaseStore } from "./lease-store.ts";
export type { StoreResult } from "./result.ts";
export type { ServerRegistry, ServerRow } from "./server-registry.ts";
export { openStore, type Store } from "./store.ts";
export type { TokenRow, TokenStore } from "./token-store.ts";
