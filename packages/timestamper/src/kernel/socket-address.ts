/**
 * IP addresses as the kernel's sockaddr bytes.
 *
 * Approach: the address family decides the layout; text is read here, because resolving names would
 * need the network. Assumption: addresses are literal; an IPv6 zone ("%eth0") is not supported.
 */
import { isIPv4, isIPv6 } from "node:net";
import { AF_INET, AF_INET6, SOCKADDR_IN, SOCKADDR_IN6 } from "./layouts.ts";

/** The kernel's bytes for an IP address and a UDP port; undefined when the text is no address. */
export function socketAddress(address: string, port: number): Uint8Array | undefined {
  if (isIPv4(address)) {
    const bytes = new Uint8Array(SOCKADDR_IN.size);
    putFamilyAndPort(bytes, AF_INET, port);
    bytes.set(address.split(".").map(Number), SOCKADDR_IN.address);
    return bytes;
  }
  if (!isIPv6(address) || address.includes("%")) return undefined;
  const bytes = new Uint8Array(SOCKADDR_IN6.size);
  putFamilyAndPort(bytes, AF_INET6, port);
  bytes.set(ipv6Bytes(address), SOCKADDR_IN6.address);
  return bytes;
}

/** The port in the kernel's bytes of an address. */
export function portOf(bytes: Uint8Array): number {
  return (bytes[SOCKADDR_IN.port] << 8) | bytes[SOCKADDR_IN.port + 1];
}

/** The address family (AF_INET or AF_INET6) in the kernel's bytes of an address. */
export function familyOf(bytes: Uint8Array): number {
  return bytes[SOCKADDR_IN.family] | (bytes[SOCKADDR_IN.family + 1] << 8);
}

/** Port and address in the kernel's bytes, as words to compare. */
export interface SocketPlace {
  readonly words: Uint32Array;
  /** Where the words after the first stand in the kernel's bytes. */
  readonly addressAt: number;
}

/** The place that a target's bytes name. */
export function placeOf(name: Uint8Array): SocketPlace {
  const isV6 = familyOf(name) === AF_INET6;
  const addressAt = isV6 ? SOCKADDR_IN6.address : SOCKADDR_IN.address;
  const view = new DataView(name.buffer, name.byteOffset, name.length);
  const words = new Uint32Array(isV6 ? 5 : 2);
  words[0] = view.getUint32(0);
  for (let i = 1; i < words.length; i++) words[i] = view.getUint32(addressAt + 4 * (i - 1));
  return { words, addressAt };
}

/** True when the sender's bytes at `at` name the same place. Allocation free. */
export function isAt(view: DataView, at: number, { words, addressAt }: SocketPlace): boolean {
  // Family and port; then the address. Flow label and scope of an IPv6 sender say nothing of it.
  if (view.getUint32(at) !== words[0]) return false;
  for (let i = 1; i < words.length; i++) {
    if (view.getUint32(at + addressAt + 4 * (i - 1)) !== words[i]) return false;
  }
  return true;
}

function putFamilyAndPort(bytes: Uint8Array, family: number, port: number): void {
  bytes[SOCKADDR_IN.family] = family;
  bytes[SOCKADDR_IN.port] = port >>> 8;
  bytes[SOCKADDR_IN.port + 1] = port;
}

/** The 16 bytes of a valid IPv6 address, which may end in a dotted IPv4 address. */
function ipv6Bytes(address: string): Uint8Array {
  const [head, tail] = address.split("::");
  const front = groupBytes(head);
  const back = tail === undefined ? [] : groupBytes(tail);
  const bytes = new Uint8Array(16);
  bytes.set(front, 0);
  bytes.set(back, 16 - back.length);
  return bytes;
}

function groupBytes(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}
