/**
 * Who may speak, as outsiders and insiders see it: a real server with ten seats, real agents, and
 * clients that have no certificate, somebody else's, or one that has ended.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { create } from "@bufbuild/protobuf";
import {
  type ClientDuplexStream,
  Metadata,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import {
  type AgentStatus,
  channelCredentials,
  EnrolmentError,
  enrol,
  newKeyRequest,
  type TlsIdentity,
} from "@ttcs/agent";
import {
  type AgentMessage,
  AgentMessageSchema,
  COORDINATOR_NAME,
  type CoordinatorMessage,
  CoordinatorService,
  EnrolmentRequestSchema,
  EnrolmentService,
  type ExchangeFlush,
  ExchangeFlushSchema,
  grpcServiceDefinition,
  HOST_NAME,
  hostPort,
  PeerService,
} from "@ttcs/protocol";
import { openStore } from "@ttcs/store";
import { readKernelClocks } from "@ttcs/timestamper";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentClient } from "../agentq/client.ts";
import { loopbackNetwork } from "../lab/network.ts";
import { type LabHost, planHosts, writeConfig } from "../lab/plan.ts";
import { type Enrolment, newEnrolment } from "./enrolment.ts";

const HOSTS = 4;
const SEATS = 10;
const JOINS = Number(process.env.TTCS_IDENTITY_JOINS ?? 200);
const POLL_MS = 50;
const LOCK_PATIENCE_S = 60;
/** A revoked host is gone within this (s). */
const GONE_WITHIN_S = 10;

const program = join(import.meta.dirname, "../../bin/ttcs.js");
const dir = mkdtempSync(join(tmpdir(), "ttcs-identity-"));
const stateDir = join(dir, "server");
const children = new Map<string, ChildProcess>();
const toBuffer = (b: Uint8Array): Buffer => Buffer.from(b.buffer, b.byteOffset, b.byteLength);

let enrolment: Enrolment;
let address = "";
let hosts: LabHost[] = [];
/** What must be written nowhere but where it belongs. */
const secrets: string[] = [];

function start(name: string, args: readonly string[]): ChildProcess {
  const out = openSync(join(dir, `${name}.out`), "a");
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", out, out, "ipc"] });
  closeSync(out);
  children.set(name, child);
  return child;
}

function ttcs(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const all = [program, ...args, "--state-dir", stateDir];
  return spawnSync(process.execPath, all, { encoding: "utf8", timeout: 30_000 });
}

async function startServer(seats: number, port = 0): Promise<void> {
  const args = ["--listen", "127.0.0.1", "--port", `${port}`, "--seats", `${seats}`];
  const child = start("server", [
    "server",
    ...args,
    "--state-dir",
    stateDir,
    "--domain",
    "default",
    "other",
  ]);
  address = await new Promise((resolve) => {
    child.once("message", (m: { port: number }) => resolve(hostPort("127.0.0.1", m.port)));
  });
}

async function statusOf(host: LabHost): Promise<AgentStatus | undefined> {
  let client: AgentClient | undefined;
  try {
    client = new AgentClient(host.status);
    return await client.ask("status");
  } catch {
    return undefined;
  } finally {
    client?.close();
  }
}

async function until(what: string, seconds: number, done: () => Promise<boolean>): Promise<number> {
  const fromMs = performance.now();
  while (!(await done())) {
    if (performance.now() - fromMs > seconds * 1e3) {
      const states = await Promise.all(hosts.map(statusOf));
      const told = states.map((s) => `${s?.host} ${s?.state} ${s?.reason}`);
      throw new Error(`${what}: not within ${seconds} s\n${told.join("\n")}`);
    }
    await sleep(POLL_MS);
  }
  return (performance.now() - fromMs) / 1e3;
}

const isLocked = async (host: LabHost) => (await statusOf(host))?.state === "LOCKED";
const allLocked = async (some: readonly LabHost[]) =>
  (await Promise.all(some.map(isLocked))).every(Boolean);

const ownerOf = (hostId: string, domain = "default") => ({
  hostId,
  domain,
  caFingerprint: enrolment.caFingerprint,
});
async function enrolAs(hostId: string): Promise<TlsIdentity> {
  const owner = ownerOf(hostId);
  return enrol(address, owner, enrolment.enrolmentToken, await newKeyRequest(owner));
}

/** What the host itself keeps. */
function identityOf(host: LabHost): TlsIdentity {
  return JSON.parse(readFileSync(join(host.persistentDir, "identity.json"), "utf8"));
}

function clientOf(
  service: typeof CoordinatorService | typeof EnrolmentService | typeof PeerService,
  at: string,
  identity: Parameters<typeof channelCredentials>[0],
) {
  const definition = grpcServiceDefinition(service as typeof PeerService, toBuffer);
  const Client = makeGenericClientConstructor(definition, service.typeName);
  const isPeer = service.typeName === PeerService.typeName;
  const credentials = channelCredentials(identity, isPeer ? () => true : undefined);
  return new Client(at, credentials, {
    "grpc.ssl_target_name_override": isPeer ? HOST_NAME : COORDINATOR_NAME,
  });
}

/** What a coordinator answers to a greeting: its first message, or why there is none. */
async function greet(
  identity: Parameters<typeof channelCredentials>[0],
  hostId: string,
  domain = "default",
): Promise<CoordinatorMessage | ServiceError> {
  const client = clientOf(CoordinatorService, address, identity);
  const stream = client.subscribe(new Metadata()) as ClientDuplexStream<
    AgentMessage,
    CoordinatorMessage
  >;
  const at = { managementAddress: "127.0.0.99", probeAddress: "127.0.0.99" };
  const value = { hostId, clockQuality: 1, probePort: 1, agentPort: 1, bootId: "b", ...at };
  stream.write(create(AgentMessageSchema, { header: { domain }, body: { case: "hello", value } }));
  const answer = await new Promise<CoordinatorMessage | ServiceError>((resolve) => {
    stream.once("data", resolve);
    stream.once("error", resolve);
  });
  stream.on("error", () => {});
  stream.cancel();
  client.close();
  return answer;
}

const refusalOf = (answer: CoordinatorMessage | ServiceError): string =>
  "body" in answer && answer.body.case === "refusal" ? answer.body.value.reason : `${answer}`;

/** Where an agent listens for its neighbours, by its own log. */
function agentAddress(host: LabHost): string {
  const log = readFileSync(join(host.clock.stateDir, "ttcs-agent.log"), "utf8").trim().split("\n");
  const started = log
    .filter((l) => l.includes("agent started"))
    .map((l) => JSON.parse(l))
    .at(-1);
  return hostPort(started.managementAddress, started.agentPort);
}

beforeAll(async () => {
  const store = openStore(`sqlite:${join(stateDir, "server.db")}`);
  enrolment = await newEnrolment(store, join(stateDir, "authority.key"), "default");
  await store.close();
  secrets.push(enrolment.enrolmentToken.split("_")[2]);
  await startServer(SEATS);
  const network = loopbackNetwork(false);
  const options = {
    hosts: HOSTS,
    seed: 6,
    profile: "quiet",
    slew: false,
    recordDir: undefined,
  } as const;
  hosts = planHosts(options, dir, readKernelClocks(), network);
  const server = { address: "127.0.0.1", port: Number(address.split(":")[1]) };
  for (const host of hosts) {
    writeConfig(host, { servers: [server], ports: network.ports, enrolment });
    start(host.id, ["agent", "--config", host.configFile]);
  }
  await until("all LOCKED", LOCK_PATIENCE_S, () => allLocked(hosts));
}, 120_000);

afterAll(() => {
  for (const child of children.values()) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

test("who has no certificate may call Enrol at the server and nothing else, and at an agent not even shake hands", async () => {
  const { authority } = identityOf(hosts[0]);
  const stranger = { authority };
  for (const service of [CoordinatorService, PeerService]) {
    const answer = await new Promise<{ code: status }>((resolve) => {
      const client = clientOf(service, address, stranger);
      const [method] = service.methods;
      const call = client[method.localName](new Metadata());
      call.on("error", resolve);
      call.on("data", () => resolve({ code: status.OK }));
    });
    expect([service.typeName, answer.code]).toEqual([service.typeName, status.UNAUTHENTICATED]);
  }
  const enrolClient = clientOf(EnrolmentService, address, stranger);
  const request = create(EnrolmentRequestSchema, { domain: "default", hostId: "x" });
  const enrolAnswer = await new Promise<ServiceError | null>((resolve) => {
    enrolClient.enrol(request, resolve);
  });
  expect(enrolAnswer?.code).toBe(status.PERMISSION_DENIED);
  const [host, port] = agentAddress(hosts[1]).split(":");
  const seen = await new Promise<{ certificates: number; bytes: number }>((resolve) => {
    const socket = connectTls({
      host,
      port: Number(port),
      ALPNProtocols: ["h2"],
      rejectUnauthorized: false,
    });
    let certificates = 0;
    let bytes = 0;
    socket.on("secureConnect", () => {
      certificates = socket.getPeerX509Certificate() ? 1 : 0;
    });
    socket.on("data", (d) => (bytes += d.length));
    socket.on("error", () => {});
    socket.on("close", () => resolve({ certificates, bytes }));
  });
  expect(seen).toEqual({ certificates: 1, bytes: 0 });
});

test("a host speaks for itself only: not for another host, nor in another domain", async () => {
  const evil = await enrolAs("evil");
  expect(refusalOf(await greet(evil, "h1"))).toContain('is that of host "evil", not of "h1"');
  expect(refusalOf(await greet(evil, "evil", "other"))).toContain(
    'was enrolled in domain "default"',
  );
  // The authority vouches for it, but it is nobody's neighbour: it is not heard in h2's name.
  const before = (await statusOf(hosts[0]))!.counters.peer_unknown_hosts ?? 0;
  const client = clientOf(PeerService, agentAddress(hosts[0]), evil);
  const stream = client.exchange(new Metadata()) as ClientDuplexStream<
    ExchangeFlush,
    ExchangeFlush
  >;
  stream.on("error", () => {});
  let heard = 0;
  stream.on("data", () => heard++);
  for (const fromHost of [1, 2, 3, 4]) {
    const header = { domain: "default" };
    stream.write(create(ExchangeFlushSchema, { header, fromHost, toHost: 1 }));
  }
  await until("counted as unknown", 10, async () => {
    const { counters } = (await statusOf(hosts[0]))!;
    return (counters.peer_unknown_hosts ?? 0) > before;
  });
  expect(heard).toBe(0);
  stream.cancel();
  client.close();
  expect(ttcs("host", "remove", "evil").status).toBe(0);
});

test("a copy of a host, key and all, is refused; it and the first are told, and the first goes on", async () => {
  const [, first] = hosts;
  const copy = { ...first, clock: { ...first.clock, stateDir: join(dir, "copy") } };
  cpSync(join(dir, first.id), copy.clock.stateDir, {
    recursive: true,
    filter: (from) => !from.endsWith(".sock"),
  });
  const copied = {
    ...copy,
    configFile: join(dir, "copy", "ttcs-agent.cfg"),
    status: join(dir, "copy", "agent.sock"),
    persistentDir: join(dir, "copy", "state"),
    clock: { ...copy.clock, index: 30 },
  };
  const network = loopbackNetwork(false);
  const server = { address: "127.0.0.1", port: Number(address.split(":")[1]) };
  writeConfig(copied, { servers: [server], ports: network.ports, enrolment });
  start("copy", ["agent", "--config", copied.configFile]);
  await until(
    "the copy is refused",
    20,
    async () => (await statusOf(copied))?.reason.includes("with the same key") ?? false,
  );
  await until("the first is told", 20, async () => {
    const told = await statusOf(first);
    return told?.alarms.some((a) => a.includes("is also used from")) ?? false;
  });
  expect((await statusOf(first))?.state).toBe("LOCKED");
  children.get("copy")!.kill("SIGKILL");
});

test("of many hosts that enrol at once, as many as there are seats left do, and the others are told", async () => {
  const free = SEATS - HOSTS;
  const answers: string[] = [];
  const join = async (i: number) => {
    const owner = ownerOf(`crowd-${i}`);
    const key = await newKeyRequest(owner);
    for (;;) {
      try {
        await enrol(address, owner, enrolment.enrolmentToken, key);
        answers.push("enrolled");
        return;
      } catch (error) {
        if (error instanceof EnrolmentError && error.isFinal) {
          answers.push(error.message);
          return;
        }
        // Too many at one door: they come again, as agents do.
        await sleep(500 * (0.5 + Math.random()));
      }
    }
  };
  await Promise.all(Array.from({ length: JOINS }, (_, i) => join(i)));
  const enrolled = answers.filter((a) => a === "enrolled").length;
  console.log(`${JOINS} joins at once on ${free} seats: ${enrolled} enrolled`);
  expect(enrolled).toBe(free);
  const others = new Set(answers.filter((a) => a !== "enrolled"));
  expect([...others]).toEqual([
    expect.stringContaining('seat limit: all 10 seats of domain "default" are taken'),
  ]);
  expect(await allLocked(hosts)).toBe(true);
}, 300_000);

test("a revoked host is gone within ten seconds, and comes back with a new token only", async () => {
  const victim = hosts[3];
  const others = hosts.slice(0, 3);
  expect(ttcs("host", "revoke", victim.id).stdout).toContain("is revoked: its seat is free");
  const goneS = await until("gone", GONE_WITHIN_S, async () => {
    const states = await Promise.all(others.map(statusOf));
    const isNobodysNeighbour = states.every((s) =>
      s?.neighbours.every((n) => n.host !== victim.id),
    );
    const own = await statusOf(victim);
    const knows = own?.reason.includes('host "h4" was revoked') ?? false;
    return isNobodysNeighbour && knows && own?.state !== "LOCKED";
  });
  console.log(`revoked: nobody's neighbour and not LOCKED after ${goneS.toFixed(1)} s`);
  expect(await allLocked(others)).toBe(true);
  const made = ttcs("token", "new");
  const [, token] = /enrolment_token: "([^"]+)"/.exec(made.stdout)!;
  secrets.push(token.split("_")[2]);
  const config = readFileSync(victim.configFile, "utf8").replace(enrolment.enrolmentToken, token);
  children.get(victim.id)!.kill("SIGTERM");
  await sleep(500);
  writeFileSync(victim.configFile, config);
  start(victim.id, ["agent", "--config", victim.configFile]);
  await until("back", LOCK_PATIENCE_S, () => isLocked(victim));
}, 120_000);

test("with a token that was ended nobody joins; hosts that have joined stay", async () => {
  const [, id] = enrolment.enrolmentToken.split("_");
  expect(ttcs("token", "end", id).stdout).toContain("nobody enrols with token");
  let joined = 0;
  const reasons = new Set<string>();
  for (let i = 0; i < 20; i++) {
    await enrolAs(`thief-${i}`).then(
      () => joined++,
      (error: Error) => reasons.add(error.message),
    );
  }
  expect(joined).toBe(0);
  expect([...reasons]).toEqual([expect.stringContaining("the enrolment token is not valid")]);
  expect(await allLocked(hosts.slice(0, 3))).toBe(true);
  expect(ttcs("token", "end", id).stderr).toContain("there is no token");
});

test("secrets are in no log, no process' arguments, and not in the database", async () => {
  for (const host of hosts) {
    const { privateKey } = identityOf(host);
    secrets.push(privateKey.split("\n")[1]);
  }
  const passphrase = readFileSync(join(stateDir, "authority.key"), "utf8").trim();
  secrets.push(passphrase);
  const files = [
    ...readdirSync(stateDir)
      .filter((f) => f.startsWith("server.db"))
      .map((f) => join(stateDir, f)),
    ...readdirSync(dir)
      .filter((f) => f.endsWith(".out"))
      .map((f) => join(dir, f)),
    ...hosts.map((h) => join(h.clock.stateDir, "ttcs-agent.log")),
  ];
  expect(files.length).toBeGreaterThan(2 * HOSTS);
  const pids = [...children.values()].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  for (const child of pids) {
    try {
      files.push(...["cmdline", "environ"].map((f) => join("/proc", `${child}`, f)));
      readFileSync(join("/proc", `${child}`, "cmdline"));
    } catch {
      files.splice(-2);
    }
  }
  const found = files.flatMap((file) => {
    const text = readFileSync(file, "latin1");
    return secrets
      .filter((secret) => text.includes(secret))
      .map((secret) => `${file}: ${secret.slice(0, 6)}`);
  });
  expect(found).toEqual([]);
  console.log(`${secrets.length} secrets looked for in ${files.length} files: found in none`);
  // The looking works: the token stands where it belongs.
  expect(readFileSync(hosts[0].configFile, "latin1")).toContain(secrets[0]);
});
