/** Real network namespaces, made and removed; needs root and says so. */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import {
  cutObstacle,
  Namespaces,
  namespaceObstacle,
  removeLeftoverNamespaces,
} from "./namespaces.ts";

const obstacle = namespaceObstacle();
if (obstacle !== undefined) console.log(`skipped: needs network namespaces (${obstacle})`);

const ip = (...args: string[]) => spawnSync("ip", args, { encoding: "utf8" }).stdout;
const named = (prefix: string) => readdirSync("/run/netns").filter((n) => n.startsWith(prefix));

/** Runs a line of JavaScript in a namespace and returns the first line that it prints. */
function inside(namespace: string, code: string): { line: Promise<string>; end: () => void } {
  const args = [`--net=/run/netns/${namespace}`, process.execPath, "-e", code];
  const child = spawn("nsenter", args, { stdio: ["ignore", "pipe", "inherit"] });
  const line = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).once("line", resolve);
  });
  return { line, end: () => child.kill("SIGKILL") };
}

describe.skipIf(obstacle !== undefined)("network namespaces", () => {
  let network: Namespaces | undefined;
  afterEach(() => network?.close());

  for (const ipv6 of [false, true]) {
    test(`datagrams pass between hosts through a shaper, IPv${ipv6 ? 6 : 4}`, async () => {
      network = new Namespaces(["h1", "h2"], { ipv6 });
      network.shape();
      const [from, to] = [network.address(0), network.address(1)];
      const udp = `const s = require("dgram").createSocket("udp${ipv6 ? 6 : 4}");`;
      const receiver = inside(
        network.namespace(1),
        `${udp} s.bind(319, "${to}"); s.on("message", (m, r) => console.log(m + " from " + r.address));`,
      );
      const sender = inside(
        network.namespace(0),
        `${udp} s.bind(319, "${from}"); setInterval(() => s.send("hello", 319, "${to}"), 50);`,
      );
      expect(await receiver.line).toBe(`hello from ${from}`);
      sender.end();
      receiver.end();
      expect(network.shaperStatistics(1).sentMbytes).toBeGreaterThan(0);
      expect(network.shaperStatistics(1).droppedCount).toBe(0);
    });
  }

  const uncut = cutObstacle();
  if (uncut !== undefined) console.log(`skipped: ${uncut}`);
  test.skipIf(uncut !== undefined)(
    "a cut lets nothing pass between its sides until it is healed; servers have sides too",
    async () => {
      network = new Namespaces(["h1", "h2", "h3"], { servers: 2 });
      const h1 = network.address(0);
      const udp = 'const s = require("dgram").createSocket("udp4");';
      // Everybody sends to h1, which tells whom it hears for the first time since it was asked.
      const stations = [network.namespace(1), network.namespace(2), network.serverNamespace(1)];
      const senders = stations.map((name, i) =>
        inside(name, `${udp} setInterval(() => s.send("${i}", 319, "${h1}"), 20);`),
      );
      const listen = () =>
        inside(
          network!.namespace(0),
          `${udp} const heard = new Set(); let count = 0; s.bind(319, "${h1}");
         s.on("message", (m) => { heard.add(String(m)); if (++count === 60) console.log([...heard].sort().join()); });`,
        );
      const heard = async () => {
        const listener = listen();
        const line = await listener.line;
        listener.end();
        return line;
      };
      expect(await heard()).toBe("0,1,2");
      network.cut([0], [1]);
      expect(await heard()).toBe("1,2");
      network.heal();
      network.cut([0, 1], "servers");
      expect(await heard()).toBe("0,1");
      network.heal();
      expect(await heard()).toBe("0,1,2");
      for (const sender of senders) sender.end();
    },
  );

  test("the machine's own namespace gets no interface, and closing removes all names", () => {
    const before = ip("-br", "link");
    network = new Namespaces(Array.from({ length: 64 }, (_, i) => `h${i + 1}`));
    expect(named(`ttcs-${process.pid}-`)).toHaveLength(67);
    expect(ip("-br", "link")).toBe(before);
    expect(ip("-n", network.namespace(63), "-br", "address")).toContain(network.address(63));
    network.close();
    expect(named(`ttcs-${process.pid}-`)).toEqual([]);
  });

  test("what a killed laboratory has left is removed, what a living one has made stays", () => {
    const dead = `ttcs-${spawnSync("true").pid}-h1`;
    ip("netns", "add", dead);
    network = new Namespaces(["h1"]);
    expect(named(dead)).toEqual([dead]);
    removeLeftoverNamespaces();
    expect(named(dead)).toEqual([]);
    expect(named(network.namespace(0))).toEqual([network.namespace(0)]);
  });

  test("half a network is taken away again when the rest cannot be made", () => {
    // No interface can have such a name's namespace: it has a slash.
    expect(() => new Namespaces(["h1", "no/such"])).toThrow("ip ");
    expect(named(`ttcs-${process.pid}-`)).toEqual([]);
  });
});
