/**
 * Turns what an operator writes for an address into an IP address of this host.
 *
 * An IP address stands for itself, a CIDR block for the one local address inside it, an interface
 * name for the first address of that interface, anything else is looked up as a hostname.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { TtcsError } from "@ttcs/units";

/** @throws TtcsError PROBE_INTERFACE when nothing on this host matches. */
export async function resolveAddress(spec: string): Promise<string> {
  if (isIP(spec)) return spec;
  const local = Object.entries(networkInterfaces());
  const named = local.find(([name]) => name === spec)?.[1];
  if (named) {
    const usable = named.find((a) => a.family === "IPv4") ?? named[0];
    if (usable) return usable.address;
  }
  if (spec.includes("/")) return addressInBlock(spec);
  try {
    return (await lookup(spec)).address;
  } catch (cause) {
    throw notFound(spec, "no interface of this name, and no such hostname", cause);
  }
}

function addressInBlock(spec: string): string {
  const [network, prefix] = spec.split("/");
  const family = isIP(network) === 6 ? "ipv6" : "ipv4";
  const block = new BlockList();
  try {
    block.addSubnet(network, Number(prefix), family);
  } catch (cause) {
    throw notFound(spec, "this is no CIDR block; write it like 10.1.0.0/16", cause);
  }
  const matches = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((a) => block.check(a.address, a.family === "IPv6" ? "ipv6" : "ipv4"));
  if (matches.length === 0) throw notFound(spec, "no local address lies in this block");
  return matches[0].address;
}

function notFound(address: string, detail: string, cause?: unknown): TtcsError {
  return new TtcsError("PROBE_INTERFACE", { address, detail }, { cause });
}
