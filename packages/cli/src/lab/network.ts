/** Where the processes of a laboratory find each other: addresses, ports, network namespaces. */
import { createServer } from "node:net";

/** Name of server number `index`, from 0. */
export const serverId = (index: number): string => (index === 0 ? "server" : `server${index + 1}`);

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
  /** Address of server number `index`, from 0, and its network namespace. */
  serverAddress(index: number): string;
  serverNamespace(index: number): string | undefined;
  /** A port for one more server, before it runs: the others are told it beforehand. */
  serverPort(): Promise<number>;
  /** Address of host number `index`, from 0. */
  address(index: number): string;
  /** Its network namespace, by name; undefined on loopback. */
  namespace(index: number): string | undefined;
  /** Lets nothing pass between two sets of hosts, or hosts and servers; absent where it cannot. */
  cut?(side: readonly number[], other: readonly number[] | "servers"): void;
  /** Takes all cuts away. */
  heal?(): void;
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
    serverAddress: () => (ipv6 ? "::1" : "127.0.0.1"),
    serverNamespace: () => undefined,
    serverPort: () => freePort(ipv6 ? "::1" : "127.0.0.1"),
    // Every address of 127/8 is local; one per host keeps their sockets apart. IPv6 has but one.
    address: (index) =>
      ipv6 ? "::1" : `127.0.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`,
    namespace: () => undefined,
    close: () => {},
  };
}

/** A TCP port that is free now, as the kernel says. */
function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
