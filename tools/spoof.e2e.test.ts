/**
 * Forged and repeated probes at the highest rate that the machine gives, for ten seconds at one host of a
 * laboratory: none is let in, nobody loses its lock, and the log stays short.
 *
 * TTCS_SPOOF=full runs the laboratory a second time, undisturbed, and compares the true errors of both.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import type { Spoofed, SpoofPlan } from "./spoof.ts";

const FULL = process.env.TTCS_SPOOF === "full";
const HOSTS = 5;
const SEED = 4;
const FLOOD_S = 10;
/** True errors count from this second on. */
const SETTLED_S = 20;
const LAB_S = SETTLED_S + FLOOD_S + 14;
const POLL_MS = 100;
const program = join(import.meta.dirname, "../packages/cli/bin/ttcs.js");
const dir = mkdtempSync(join(tmpdir(), "ttcs-spoof-"));
const labs: ChildProcess[] = [];

interface AgentProcess {
  readonly id: string;
  readonly status: string;
}
interface Status {
  readonly state: string;
  readonly reason: string;
  readonly counters: Readonly<Record<string, number>>;
}
interface Summary {
  readonly per_host: Readonly<Record<string, { readonly true_error_ns: { p99: number | null } }>>;
  readonly probes: Readonly<Record<string, number>>;
}

afterAll(async () => {
  for (const lab of labs) lab.kill("SIGTERM");
  rmSync(dir, { recursive: true, force: true });
});

function statusOf(path: string): Promise<Status> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on("error", reject);
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer at ${path}`)));
    createInterface({ input: socket })
      .on("line", (line) => {
        socket.destroy();
        resolve(JSON.parse(line) as Status);
      })
      .on("error", () => {});
    socket.write("status\n");
  });
}

/** A laboratory of LAB_S seconds; its processes once all are LOCKED, and its summary at the end. */
async function startLab(name: string) {
  const file = join(dir, `${name}.json`);
  const args = ["lab", "--hosts", `${HOSTS}`, "--seconds", `${LAB_S}`, "--seed", `${SEED}`];
  const more = ["--loopback", "--no-slew", "--json", file];
  const lab = spawn(process.execPath, [program, ...args, ...more], { stdio: "ignore" });
  labs.push(lab);
  const ended = once(lab, "exit");
  const startMs = performance.now();
  const read = <T>(): T => JSON.parse(readFileSync(file, "utf8")) as T;
  while (!existsSync(file)) await sleep(POLL_MS);
  const { agents } = read<{ agents: AgentProcess[] }>();
  const summary = async (): Promise<Summary> => {
    await ended;
    return read<{ summary: Summary }>().summary;
  };
  return { agents, startMs, summary };
}

/** The host's number, as its agent keeps it. */
function numberOf(agent: AgentProcess): number {
  const file = join(dirname(agent.status), "state", "agent-state.json");
  const [, number] = /host_number\D+(\d+)/.exec(readFileSync(file, "utf8"))!;
  return Number(number);
}

const logOf = (agent: AgentProcess): string[] =>
  readFileSync(join(dirname(agent.status), "ttcs-agent.log"), "utf8")
    .trim()
    .split("\n");

/** Datagrams that the kernel dropped at the socket, by its filter or because it was full. */
function kernelDrops(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = readFileSync("/proc/net/udp", "utf8").split("\n");
  const found = lines.filter((l) => l.trim().split(/\s+/)[1]?.endsWith(`:${hex}`));
  return found.reduce((sum, line) => sum + Number(line.trim().split(/\s+/).at(-1) ?? 0), 0);
}

async function runSpoof(plan: SpoofPlan): Promise<Spoofed> {
  const file = join(import.meta.dirname, "spoof.ts");
  const child = spawn(process.execPath, [file, JSON.stringify(plan)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await once(child, "close");
  return JSON.parse(text) as Spoofed;
}

const REFUSALS = [
  "malformed",
  "foreignSource",
  "unknownSenders",
  "unknownKeys",
  "replayed",
  "forged",
];
const refusedOf = ({ counters }: Status) => REFUSALS.map((name) => counters[name] ?? 0);

/** True errors' p99 of the hosts that were not flooded, the worst of them (ns). */
const othersP99Ns = ({ per_host }: Summary, flooded: string): number =>
  Math.max(
    ...Object.entries(per_host)
      .filter(([id]) => id !== flooded)
      .map(([, host]) => host.true_error_ns.p99 ?? 0),
  );

test("forged probes are let in by nobody, at the highest rate there is, and nobody loses its lock", async () => {
  const { agents, startMs, summary } = await startLab("flooded");
  const [, victim] = agents;
  const untilMs = startMs + 1e3 * (SETTLED_S + 1);
  while (performance.now() < untilMs) await sleep(POLL_MS);
  const states = await Promise.all(agents.map((a) => statusOf(a.status)));
  expect(states.map((s) => s.state)).toEqual(agents.map(() => "LOCKED"));
  const before = states[1];
  const numbers = agents.map(numberOf);
  const started = logOf(victim)
    .filter((line) => line.includes("agent started"))
    .map((line) => JSON.parse(line))
    .at(-1);
  const port = started.probePort as number;
  const linesBefore = logOf(victim).length;
  const dropsBefore = kernelDrops(port);
  let over = false;
  const flooding = runSpoof({
    seed: SEED,
    seconds: FLOOD_S,
    address: started.probeAddress,
    port,
    hostNumber: numbers[1],
    neighbours: numbers.filter((n) => n !== numbers[1]),
  }).finally(() => {
    over = true;
  });
  const bad: string[] = [];
  let looks = 0;
  while (!over) {
    const now = await Promise.all(agents.map((a) => statusOf(a.status)));
    looks++;
    for (const [i, { state, reason }] of now.entries()) {
      if (state !== "LOCKED") bad.push(`${agents[i].id} ${state} ${reason}`);
    }
    await sleep(POLL_MS);
  }
  const sent = await flooding;
  await sleep(500);
  const after = await statusOf(victim.status);
  const refused = refusedOf(after).map((n, i) => n - refusedOf(before)[i]);
  const drops = kernelDrops(port) - dropsBefore;
  const lines = logOf(victim).length - linesBefore;
  const total = sent.strangers + sent.replays + sent.forgeries;
  console.log(
    `seed ${SEED}: ${Math.round(total / sent.seconds / 1e3)} k/s for ${sent.seconds.toFixed(1)} s:`,
    JSON.stringify(sent),
  );
  console.log(
    `dropped by the kernel ${drops}; ${REFUSALS.map((n, i) => `${n} ${refused[i]}`).join(", ")}; ` +
      `${lines} lines of log; ${looks} looks`,
  );
  const calm = await summary();
  const { sent: probesSent, received, injected_loss: lost } = calm.probes;
  console.log(`probes of the whole laboratory: ${JSON.stringify(calm.probes)}`);
  const p99Ns = othersP99Ns(calm, victim.id);
  console.log(`worst p99 of the true error among the others: ${p99Ns.toFixed(0)} ns`);
  expect(bad).toEqual([]);
  // Whatever was sent was refused, or dropped before.
  expect(refused.reduce((sum, n) => sum + n, 0) + drops).toBeGreaterThanOrEqual(total);
  expect(received + lost).toBeLessThanOrEqual(probesSent);
  expect(lines).toBeLessThanOrEqual(FLOOD_S + 1);
  if (!FULL) return;
  const undisturbed = await (await startLab("calm")).summary();
  const calmNs = othersP99Ns(undisturbed, victim.id);
  console.log(`undisturbed: ${calmNs.toFixed(0)} ns, ratio ${(p99Ns / calmNs).toFixed(2)}`);
}, 200_000);
