/**
 * Whether what an agent says of itself can be true, before it becomes a host of the domain: its words
 * are passed on to its neighbours, which would send probes wherever they point.
 */
import { isIP } from "node:net";
import type { Hello } from "@ttcs/protocol";

/** A name of the DNS has at most this many characters; so has everything else that is a name here. */
const NAME_LIMIT = 253;
const INSTANCE_BYTES_MAX = 64;
const PORT_MAX = 65_535;
const CLOCK_QUALITY_MAX = 255;

const isPort = (port: number): boolean => port >= 1 && port <= PORT_MAX;

/** Why a Hello cannot be true; undefined: it can. */
export function implausible(hello: Hello): string | undefined {
  const { hostId, region, softwareVersion, bootId } = hello;
  const names = [hostId, region, softwareVersion, bootId];
  if (names.some((name) => name.length > NAME_LIMIT)) {
    return `a name is longer than ${NAME_LIMIT} characters`;
  }
  if (hello.instance.length > INSTANCE_BYTES_MAX) return "instance is too long";
  // Names are shown on terminals, those of others among them.
  if (names.some((name) => /\p{Cc}/u.test(name))) return "a name has a control character in it";
  if (isIP(hello.probeAddress) === 0) return "probe_address is no IP address";
  if (isIP(hello.managementAddress) === 0) return "management_address is no IP address";
  if (!isPort(hello.probePort) || !isPort(hello.agentPort)) return "a port is not 1 to 65535";
  const quality = hello.clockQuality;
  if (quality < 1 || quality > CLOCK_QUALITY_MAX) return "clock_quality is not 1 to 255";
  return undefined;
}
