/**
 * One network namespace per host of a laboratory, all on one bridge: the default as root.
 *
 * Problem: on loopback all hosts share one interface and nothing ever queues. Here each host has an
 * interface, addresses, ports and a firewall of its own, as on a machine of its own, and its packets
 * pass a switch on which they can queue.
 *
 * Approach: a namespace "switch" holds a bridge; a veth pair joins each host's namespace to it. The
 * interfaces are made inside these namespaces, so that nothing is changed in the machine's own one.
 * Names carry the process id of the laboratory: what one has left behind that was killed is removed
 * by the next one.
 *
 * Addresses of neighbours are written down instead of asked for: the kernel counts learnt ones of all
 * namespaces together and would begin to forget them at 512, and the first probes would wait.
 *
 * Cannot show: network cards, their stamps and their coalescing; all namespaces share one kernel.
 */
import { spawnSync } from "node:child_process";
import { leftovers } from "./leftovers.ts";
import { putBehindNat, SERVER_BEYOND_NAT } from "./nat.ts";
import { type LabNetwork, serverId } from "./network.ts";

/** Where `ip netns` keeps the names of namespaces. */
const NAMES_DIR = "/run/netns";
const OURS = /^ttcs-(\d+)-/;
/** The default ports of the programs: nobody else is there. */
const PORTS = { probe: 319, agent: 6171, server: 6176 };
/** Numbers of the cross traffic's sender, a NAT and the first server on the bridge; hosts follow. */
const SENDER = 1;
const NAT = 2;
const FIRST_SERVER = 3;
const FIRST_HOST = 10;

/** The shaper in front of each host (see `shape`). */
const SHAPER_MBIT = 200;
/** Two full frames pass without waiting, the rest queues; 200 kB are 8 ms of queue. */
const SHAPER = `rate ${SHAPER_MBIT}mbit burst 3100 limit 200000`;

/** What a shaper says of its queue. */
export interface ShaperStatistics {
  readonly sentMbytes: number;
  readonly droppedCount: number;
}

/** A namespace to make: its name and its number on the bridge. */
interface Station {
  readonly name: string;
  readonly number: number;
}

/** Why namespaces cannot be used; undefined when nothing speaks against them. */
export function namespaceObstacle(): string | undefined {
  if (process.geteuid?.() !== 0) return "not root";
  for (const [program, packageName] of [
    ["ip", "iproute2"],
    ["nsenter", "util-linux"],
  ]) {
    if (spawnSync(program, ["-V"]).error !== undefined) {
      return `${program} is missing; install it: apt-get install ${packageName}`;
    }
  }
  return undefined;
}

/** Why namespaces cannot be cut off from each other; undefined when nothing speaks against it. */
export function cutObstacle(): string | undefined {
  const missing = spawnSync("nft", ["-v"]).error !== undefined;
  return missing ? "nft is missing; install it: apt-get install nftables" : undefined;
}

/** Runs a program of iproute2 on lines of commands. */
function run(program: string, args: readonly string[], lines: readonly string[]): string {
  const input = lines.map((line) => `${line}\n`).join("");
  const done = spawnSync(program, [...args], { input, encoding: "utf8" });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) {
    throw new Error(`${program} ${args.join(" ")}: ${done.stderr.trim().split("\n")[0]}`);
  }
  return done.stdout;
}

function remove(names: readonly string[]): void {
  if (names.length === 0) return;
  // -force goes on after an error: half of them may be there.
  const input = names.map((name) => `netns del ${name}\n`).join("");
  spawnSync("ip", ["-force", "-batch", "-"], { input });
}

/** A table of nftables that drops what goes from the ports of one side to those of the other. */
function cutRules(side: readonly string[], other: readonly string[]): string[] {
  const set = (names: readonly string[]) => `{ ${names.map((name) => `"${name}"`).join(", ")} }`;
  return [
    "table bridge cut {",
    "  chain forward {",
    "    type filter hook forward priority 0",
    `    iifname ${set(side)} oifname ${set(other)} drop`,
    `    iifname ${set(other)} oifname ${set(side)} drop`,
    "  }",
    "}",
  ];
}

/** Removes the namespaces of laboratories whose process is gone. */
export function removeLeftoverNamespaces(): void {
  remove(leftovers(NAMES_DIR, OURS));
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
const linkAddress = (number: number): string =>
  `02:75:00:00:${hex(number >> 8, 2)}:${hex(number & 255, 2)}`;
const ipv4 = (number: number): string => `10.117.${number >> 8}.${number & 255}`;
const ipv6Address = (number: number): string => `fd00:117::${number.toString(16)}`;

/** What else stands at the switch. */
export interface NamespaceOptions {
  readonly ipv6?: boolean;
  /** How many servers (1 and more). */
  readonly servers?: number;
  /** True: the only server is beyond a NAT, hosts reach it from one address (IPv4 only). */
  readonly nat?: boolean;
}

/** See the module head. */
export class Namespaces implements LabNetwork {
  readonly namespaces = true;
  readonly ports = PORTS;
  readonly #ipv6: boolean;
  readonly #prefix = `ttcs-${process.pid}-`;
  readonly #switch = `${this.#prefix}switch`;
  readonly #stations: readonly Station[];
  readonly #hostNames: readonly string[];
  readonly #nat: boolean;
  readonly #serverNames: readonly string[];
  #closed = false;

  /**
   * Makes all namespaces, or none.
   *
   * @throws Error when the kernel or iproute2 refuses
   */
  constructor(
    hostIds: readonly string[],
    { ipv6 = false, servers = 1, nat = false }: NamespaceOptions = {},
  ) {
    this.#ipv6 = ipv6;
    this.#nat = nat;
    this.#serverNames = Array.from({ length: servers }, (_, i) => this.#prefix + serverId(i));
    this.#hostNames = hostIds.map((id) => this.#prefix + id);
    this.#stations = [
      { name: `${this.#prefix}traffic`, number: SENDER },
      ...(nat ? [{ name: `${this.#prefix}nat`, number: NAT }] : []),
      ...this.#serverNames.map((name, i) => ({ name, number: FIRST_SERVER + i })),
      ...this.#hostNames.map((name, i) => ({ name, number: FIRST_HOST + i })),
    ];
    try {
      this.#make();
      if (nat) this.#putBehindNat();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  serverAddress(index: number): string {
    return this.#nat ? SERVER_BEYOND_NAT : this.#address(FIRST_SERVER + index);
  }

  serverNamespace(index: number): string {
    return this.#serverNames[index];
  }

  serverPort(): Promise<number> {
    return Promise.resolve(PORTS.server);
  }

  /** The namespace of the NAT between hosts and server; undefined: there is none. */
  get natNamespace(): string | undefined {
    return this.#nat ? `${this.#prefix}nat` : undefined;
  }

  /** The namespace from which cross traffic is sent. */
  get trafficNamespace(): string {
    return this.#stations[0].name;
  }

  address(index: number): string {
    return this.#address(FIRST_HOST + index);
  }

  namespace(index: number): string {
    return this.#hostNames[index];
  }

  /** Puts a token bucket of 200 Mbit/s on the switch's port towards each host: a real queue. */
  shape(): void {
    const ports = this.#hostNames.map(
      (_, i) => `qdisc add dev ${this.#port(i)} root tbf ${SHAPER}`,
    );
    run("tc", ["-n", this.#switch, "-batch", "-"], ports);
  }

  /** What the shaper in front of host number `index` has let through and dropped so far. */
  shaperStatistics(index: number): ShaperStatistics {
    const args = ["-n", this.#switch, "-s", "-j", "qdisc", "show", "dev", this.#port(index)];
    const [queue] = JSON.parse(run("tc", args, []));
    return { sentMbytes: queue.bytes / 1e6, droppedCount: queue.drops };
  }

  /**
   * Lets nothing pass the switch between two sets of hosts, or between hosts and all servers.
   *
   * @throws Error when nftables refuses
   */
  cut(side: readonly number[], other: readonly number[] | "servers"): void {
    const far =
      other === "servers"
        ? this.#serverNames.map((_, i) => `p${FIRST_SERVER + i}`)
        : other.map((index) => this.#port(index));
    const rules = cutRules(
      side.map((index) => this.#port(index)),
      far,
    );
    run("ip", ["netns", "exec", this.#switch, "nft", "-f", "-"], rules);
  }

  /** Takes all cuts away. */
  heal(): void {
    run("ip", ["netns", "exec", this.#switch, "nft", "-f", "-"], ["flush ruleset"]);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    remove([this.#switch, ...this.#stations.map((s) => s.name)]);
  }

  #putBehindNat(): void {
    putBehindNat(run, {
      nat: this.natNamespace!,
      server: this.#serverNames[0],
      hosts: this.#hostNames,
      inside: ipv4(NAT),
    });
  }

  #make(): void {
    const names = [this.#switch, ...this.#stations.map((s) => s.name)];
    run(
      "ip",
      ["-batch", "-"],
      names.map((name) => `netns add ${name}`),
    );
    run(
      "ip",
      ["-n", this.#switch, "-batch", "-"],
      [
        "link set lo up",
        "link add br0 type bridge forward_delay 0 mcast_snooping 0",
        "link set br0 up",
        ...this.#stations.flatMap(({ name, number }) => [
          `link add p${number} type veth peer name eth0 address ${linkAddress(number)} netns ${name}`,
          `link set p${number} master br0 up`,
        ]),
      ],
    );
    for (const station of this.#stations) this.#addressStation(station);
  }

  #addressStation(station: Station): void {
    const others = this.#stations.filter((other) => other !== station);
    run(
      "ip",
      ["-n", station.name, "-batch", "-"],
      [
        "link set lo up",
        `address add ${ipv4(station.number)}/16 dev eth0`,
        // nodad: an IPv6 address is of no use for a second while its duplicates are looked for.
        `address add ${ipv6Address(station.number)}/64 dev eth0 nodad`,
        "link set eth0 up",
        ...others.map(
          ({ number }) =>
            `neighbour add ${this.#address(number)} lladdr ${linkAddress(number)} dev eth0 nud permanent`,
        ),
      ],
    );
  }

  #address(number: number): string {
    return this.#ipv6 ? ipv6Address(number) : ipv4(number);
  }

  #port(index: number): string {
    return `p${FIRST_HOST + index}`;
  }
}
