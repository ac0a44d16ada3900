/** Where the processes of a laboratory find each other: addresses, ports, network namespaces. */

/** UDP and TCP ports of a network; 0 takes a free one. */
export interface LabPorts {
  readonly probe: number;
  readonly agent: number;
  readonly server: number;
}

/** The network of one laboratory. */
export interface LabNetwork {
  readonly namespaces: boolean;
  readonly ports: LabPorts;
  readonly serverAddress: string;
  readonly serverNamespace: string | undefined;
  /** Address of host number `index`, from 0. */
  address(index: number): string;
  /** Its network namespace, by name; undefined on loopback. */
  namespace(index: number): string | undefined;
  /** Takes everything away that it has made. */
  close(): void;
}

/**
 * The loopback interface: needs no rights. Hosts share its one short cut through the kernel, so that
 * nothing ever queues, and ports are free ones, so that laboratories can run side by side.
 */
export function loopbackNetwork(ipv6: boolean): LabNetwork {
  return {
    namespaces: false,
    ports: { probe: 0, agent: 0, server: 0 },
    serverAddress: ipv6 ? "::1" : "127.0.0.1",
    serverNamespace: undefined,
    // Every address of 127/8 is local; one per host keeps their sockets apart. IPv6 has but one.
    address: (index) =>
      ipv6 ? "::1" : `127.0.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`,
    namespace: () => undefined,
    close: () => {},
  };
}
