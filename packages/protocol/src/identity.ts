/**
 * Names in certificates: what agents demand of a coordinator, and what people read in a host's.
 */

/** The DNS name in every server's certificate, and in no host's; it is resolved by nobody. */
export const COORDINATOR_NAME = "coordinator.ttcs.internal";

/** The name by which hosts greet each other in TLS; who is meant is told by the certificate's hash. */
export const HOST_NAME = "host.ttcs.internal";

/** A host as a URI: "ttcs://domain/host". */
export const hostName = (domain: string, hostId: string): string =>
  `ttcs://${encodeURIComponent(domain)}/${encodeURIComponent(hostId)}`;
