/**
 * Opens, binds and prepares the socket of `probe-socket.ts`, with faults that say what to do.
 */
import { TtcsError } from "@ttcs/units";
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_TIMESTAMPING,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCKADDR_IN6,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  SOL_SOCKET,
} from "./layouts.ts";
import { checked, errnoName, libc, Memory } from "./libc.ts";
import { familyOf, portOf, socketAddress } from "./socket-address.ts";

/** Receive buffer asked for (bytes): a second of 5000 probes and their returned frames. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Ports below this need a capability, unless the host has moved the limit. */
const FIRST_UNPRIVILEGED_PORT = 1024;
/** Where the length stands in the memory shared with the kernel, behind the address (bytes). */
const LENGTH_AT = 32;

/** A bound socket. */
export interface StampedSocket {
  readonly fd: number;
  readonly port: number;
  /** AF_INET or AF_INET6. */
  readonly family: number;
}

/**
 * A nonblocking UDP socket with software stamps both ways.
 *
 * Errors: PROBE_INTERFACE, PROBE_SOCKET, KERNEL_CALL.
 */
export function openStampedSocket(address: string, port: number): StampedSocket {
  const name = socketAddress(address, port);
  if (name === undefined) {
    const detail = "it is no IP address; write one without a zone, such as 192.0.2.7";
    throw new TtcsError("PROBE_INTERFACE", { address, detail });
  }
  const family = familyOf(name);
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const opened = libc.socket(family, type);
  const fd = checked(opened, "socket", `cannot open a UDP socket for ${address}`);
  try {
    prepare(fd, family);
    return { fd, family, port: bindTo(fd, name, address, port) };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function prepare(fd: number, family: number): void {
  const stamps =
    SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  setOption(fd, SOL_SOCKET, SO_TIMESTAMPING, stamps, "SO_TIMESTAMPING");
  if (trySetOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES) < 0) {
    // The kernel gives what net.core.rmem_max allows and says nothing when that is less.
    setOption(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES, "SO_RCVBUF");
  }
  if (family === AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY");
}

function trySetOption(fd: number, level: number, name: number, value: number): number {
  const memory = new Memory(8);
  memory.view.setInt32(0, value, true);
  return libc.setsockopt(fd, level, name, memory.address, 4);
}

function setOption(fd: number, level: number, name: number, value: number, text: string): void {
  const result = trySetOption(fd, level, name, value);
  checked(result, "setsockopt", `the kernel refuses ${text}; Linux 3.17 or later is needed`);
}

/** Binds and returns the port. */
function bindTo(fd: number, name: Uint8Array, address: string, port: number): number {
  const memory = new Memory(LENGTH_AT + 8);
  memory.bytes.set(name);
  const bound = libc.bind(fd, memory.address, name.length);
  if (bound < 0) throw bindFault(errnoName(bound), address, port);
  memory.view.setUint32(LENGTH_AT, SOCKADDR_IN6.size, true);
  const named = libc.getsockname(fd, memory.address, memory.address + LENGTH_AT);
  checked(named, "getsockname", `cannot find out the port of ${address}`);
  return portOf(memory.bytes);
}

function bindFault(errno: string, address: string, port: number): TtcsError {
  if (errno === "EADDRNOTAVAIL") {
    const detail =
      "no interface of this host has the address (EADDRNOTAVAIL); set probe_address to one it has";
    return new TtcsError("PROBE_INTERFACE", { address, detail });
  }
  return new TtcsError("PROBE_SOCKET", { address, port, detail: bindAdvice(errno, port) });
}

function bindAdvice(errno: string, port: number): string {
  if (errno === "EADDRINUSE") {
    return (
      "another process has the port (EADDRINUSE); stop it (ptp4l, chronyd with ptpport or a second " +
      "agent) or set probe_port"
    );
  }
  if (errno === "EACCES" && port < FIRST_UNPRIVILEGED_PORT) {
    return (
      "ports below 1024 need CAP_NET_BIND_SERVICE (EACCES); start the agent with that capability " +
      "or set probe_port"
    );
  }
  return `bind failed with ${errno}`;
}
