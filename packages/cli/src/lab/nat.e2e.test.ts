/**
 * Agents behind one NAT that forgets quiet connections: real namespaces, nft and conntrack.
 *
 * TTCS_NAT=full: 20 agents, a NAT that forgets after 30 s, five minutes of each kind of silence. The
 * short form has fewer agents and a NAT that forgets within seconds. Prints what was seen.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, type ExpectStatic, test } from "vitest";
import { namespaceObstacle, removeLeftoverNamespaces } from "./namespaces.ts";

const FULL = process.env.TTCS_NAT === "full";
const HOSTS = FULL ? 20 : 5;
/** The NAT forgets after so long (s); pings of the streams go every 5 s. */
const FORGETS_S = FULL ? 30 : 8;
/** Length of each silence, and of the time without any (s). */
const SILENCE_S = FULL ? 300 : 12;
const CALM_S = FULL ? 300 : 3;
const LOCK_PATIENCE_MS = 90_000;
/** From the end of a silence until all are LOCKED again, on a machine that may be busy (s). */
const BACK_LIMIT_S = 30;
const POLL_MS = 200;

const nft = spawnSync("nft", ["--version"]).error;
const obstacle = namespaceObstacle() ?? (nft ? "nft is missing; it is in nftables" : undefined);
if (obstacle !== undefined) console.log(`skipped: needs root/nftables (${obstacle})`);

const program = join(import.meta.dirname, "../../bin/ttcs.js");

interface LabFile {
  readonly server: { readonly pid: number; readonly nat_namespace: string };
  readonly agents: readonly {
    readonly id: string;
    readonly pid: number;
    readonly status: string;
  }[];
}

function inside(namespace: string, command: readonly string[], input = ""): string {
  const args = [`--net=/run/netns/${namespace}`, ...command];
  const done = spawnSync("nsenter", args, { input, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${command.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

const forgetAfter = (nat: string, seconds: number) =>
  inside(
    nat,
    ["sh"],
    `echo ${seconds} > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established`,
  );
const tracked = (nat: string): number =>
  Number(inside(nat, ["cat", "/proc/sys/net/netfilter/nf_conntrack_count"]));
/** Nothing passes any more, and conntrack does not see it either: what it knows grows old. */
const cut = (nat: string) =>
  inside(
    nat,
    ["nft", "-f", "-"],
    "add chain ip ttcs cut { type filter hook prerouting priority -300; policy drop; }\n",
  );
const heal = (nat: string) => inside(nat, ["nft", "delete", "chain", "ip", "ttcs", "cut"]);

async function stateOf(path: string): Promise<string> {
  const socket = connect(path);
  socket.setTimeout(2_000, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    socket.write("status\n");
    const [line] = (await once(createInterface({ input: socket }), "line")) as [string];
    return (JSON.parse(line) as { state: string }).state;
  } catch {
    return "no answer";
  } finally {
    socket.destroy();
  }
}

const states = (lab: LabFile) => Promise.all(lab.agents.map(({ status }) => stateOf(status)));

/** Agents that have lost the coordinator so far, as their own logs tell it, by line. */
const losses = (lab: LabFile): number[] =>
  lab.agents.map(({ status }) => {
    const log = join(dirname(status), "ttcs-agent.log");
    return readFileSync(log, "utf8").split("lost the coordinator").length - 1;
  });

/** The reference is LOCKED to itself; everybody else by the corrections that he hears. */
async function untilAll(lab: LabFile, state: string, patienceMs: number): Promise<number> {
  const beganMs = performance.now();
  for (;;) {
    const now = await states(lab);
    const tookMs = performance.now() - beganMs;
    if (now.every((s) => s === state)) return tookMs / 1e3;
    if (tookMs > patienceMs) throw new Error(`not all ${state}: ${now.join(", ")}`);
    await sleep(POLL_MS);
  }
}

/** Ends what a test has started, whatever becomes of it. */
async function end(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

interface Silence {
  readonly what: string;
  begin(): void;
  over(): void;
}

/** Makes a silence, sees that everybody notices it, and how they come back. */
async function outlive(lab: LabFile, { what, begin, over }: Silence, expect: ExpectStatic) {
  const nat = lab.server.nat_namespace;
  const lostBefore = losses(lab);
  const knownBefore = tracked(nat);
  begin();
  try {
    await sleep(1e3 * SILENCE_S);
    const now = await states(lab);
    const lost = losses(lab).filter((n, i) => n > lostBefore[i]).length;
    const known = tracked(nat);
    console.log(
      `${what} for ${SILENCE_S} s: ${lost} of ${HOSTS} agents have noticed; ` +
        `the NAT knew ${knownBefore} connections, knows ${known}; ${now.join(" ")}`,
    );
    expect(lost).toBe(HOSTS);
    expect(now).not.toContain("LOCKED");
    // The kernel forgets at once and counts later.
    if (what === "cut" && FULL) expect(known).toBe(0);
  } finally {
    over();
  }
  const backS = await untilAll(lab, "LOCKED", LOCK_PATIENCE_MS);
  console.log(`  all LOCKED ${backS.toFixed(1)} s after its end`);
  expect(backS).toBeLessThan(BACK_LIMIT_S);
}

describe.skipIf(obstacle !== undefined)("behind a NAT", () => {
  const patienceMs = 1e3 * (CALM_S + 3 * SILENCE_S) + 3 * LOCK_PATIENCE_MS;
  const kept = `${HOSTS} agents keep their streams, notice every silence, and are LOCKED again`;
  test.concurrent(kept, { timeout: patienceMs }, async ({ expect, onTestFinished }) => {
    removeLeftoverNamespaces();
    const dir = mkdtempSync(join(tmpdir(), "ttcs-nat-"));
    const file = join(dir, "lab.json");
    // Few probes: many agents on few processors, and streams are what matters here.
    const rate = ["--pairs-per-second", "10"];
    const args = ["lab", "--nat", "--hosts", `${HOSTS}`, "--no-slew", "--json", file, ...rate];
    const child = spawn(process.execPath, [program, ...args], { stdio: "ignore" });
    onTestFinished(async () => {
      await end([child]);
      rmSync(dir, { recursive: true, force: true });
    });
    while (!existsSync(file)) await sleep(POLL_MS);
    const lab = JSON.parse(readFileSync(file, "utf8")) as LabFile;
    const nat = lab.server.nat_namespace;
    forgetAfter(nat, FORGETS_S);
    await untilAll(lab, "LOCKED", LOCK_PATIENCE_MS);

    const before = losses(lab);
    await sleep(1e3 * CALM_S);
    expect(losses(lab)).toEqual(before);
    expect(await states(lab)).toEqual(lab.agents.map(() => "LOCKED"));

    await outlive(lab, { what: "cut", begin: () => cut(nat), over: () => heal(nat) }, expect);
    const { pid } = lab.server;
    const stopped = {
      what: "server stopped",
      begin: () => void process.kill(pid, "SIGSTOP"),
      over: () => void process.kill(pid, "SIGCONT"),
    };
    if (FULL) await outlive(lab, stopped, expect);
    const after = JSON.parse(readFileSync(file, "utf8")) as LabFile;
    expect(after.agents.map(({ pid }) => pid)).toEqual(lab.agents.map(({ pid }) => pid));
  });
});
