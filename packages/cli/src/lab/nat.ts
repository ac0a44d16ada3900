/**
 * A NAT between the hosts of a laboratory and its server, as in front of an office or a cloud's subnet.
 *
 * All hosts reach the server from one address: nft masquerades what leaves their bridge, and nothing
 * comes in that was not asked for. Among themselves the hosts are on one bridge as ever, so that the
 * NAT sees TCP 6176 alone. It is a strict one: a connection that was quiet for 30 s is forgotten, and
 * whatever comes of it afterwards is dropped without a word.
 */

/** The link between NAT and server, beyond the hosts' own network. */
const BEYOND = "10.118.0.0/30";
const OUTSIDE = "10.118.0.1";
export const SERVER_BEYOND_NAT = "10.118.0.2";
/** A connection that was quiet for this long is forgotten (s). */
export const NAT_FORGETS_S = 30;

/** Runs a program on lines of commands. */
type Run = (program: string, args: readonly string[], lines: readonly string[]) => string;

/** The namespaces to connect. */
export interface NatPlan {
  readonly nat: string;
  readonly server: string;
  readonly hosts: readonly string[];
  /** Address of the NAT on the hosts' bridge. */
  readonly inside: string;
}

const RULES = [
  "table ip ttcs {",
  "  chain forward {",
  "    type filter hook forward priority 0; policy drop;",
  "    ct state invalid drop",
  '    iifname "eth0" oifname "out" tcp dport 6176 accept',
  '    iifname "out" ct state established accept',
  "  }",
  "  chain post {",
  "    type nat hook postrouting priority 100;",
  '    oifname "out" masquerade',
  "  }",
  "}",
];

/** Takes the server off the bridge and puts it beyond a NAT. */
export function putBehindNat(run: Run, { nat, server, hosts, inside }: NatPlan): void {
  run(
    "ip",
    ["-n", server, "-batch", "-"],
    [
      "link delete eth0",
      `link add eth0 type veth peer name out netns ${nat}`,
      `address add ${SERVER_BEYOND_NAT}/30 dev eth0`,
      "link set eth0 up",
    ],
  );
  run("ip", ["-n", nat, "-batch", "-"], [`address add ${OUTSIDE}/30 dev out`, "link set out up"]);
  run("nsenter", [`--net=/run/netns/${nat}`, "nft", "-f", "-"], RULES);
  setNat(run, nat, "net/ipv4/ip_forward", 1);
  setNat(run, nat, "net/netfilter/nf_conntrack_tcp_loose", 0);
  forgetAfter(run, nat, NAT_FORGETS_S);
  for (const host of hosts) {
    run("ip", ["-n", host, "-batch", "-"], [`route add ${BEYOND} via ${inside} dev eth0`]);
  }
}

/** From now on the NAT forgets connections that were quiet for so long (s). */
export function forgetAfter(run: Run, nat: string, seconds: number): void {
  setNat(run, nat, "net/netfilter/nf_conntrack_tcp_timeout_established", seconds);
}

/** These settings are those of a network namespace: whoever writes them has to be inside. */
function setNat(run: Run, nat: string, name: string, value: number): void {
  run("nsenter", [`--net=/run/netns/${nat}`, "sh"], [`echo ${value} > /proc/sys/${name}`]);
}
