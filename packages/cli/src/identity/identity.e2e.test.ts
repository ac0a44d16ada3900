/**
 * Who may speak, as outsiders and insiders see it: a real server with ten seats, real agents, and
 * clients that have no certificate, somebody else's, or one that has ended.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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
import { channelCredentials, Enrolment, EnrolmentError, type TlsIdentity } from "@ttcs/agent";
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
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../lab/plan.ts";
import { SmallFleet } from "../testing/small-fleet.ts";

const HOSTS = 4;
const SEATS = 10;
/** The long form has a thousand. */
const JOINS = Number(process.env.TTCS_IDENTITY_JOINS ?? 200);
const LOCK_PATIENCE_S = 60;
/** A revoked host is gone within this (s). */
const GONE_WITHIN_S = 10;

const toBuffer = (b: Uint8Array): Buffer => Buffer.from(b.buffer, b.byteOffset, b.byteLength);

let fleet: SmallFleet;
let hosts: LabHost[] = [];
/** What must be written nowhere but where it belongs. */
const secrets: string[] = [];

const ownerOf = (hostId: string, domain = "default") => ({
  hostId,
  domain,
  caFingerprint: fleet.enrolment.caFingerprint,
});
const enrolmentOf = (hostId: string): Enrolment =>
  new Enrolment(ownerOf(hostId), fleet.enrolment.enrolmentToken);
const enrolAs = (hostId: string): Promise<TlsIdentity> => enrolmentOf(hostId).at(fleet.address);

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
  const client = clientOf(CoordinatorService, fleet.address, identity);
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
  const started = fleet
    .logOf(host)
    .filter((l) => l.includes("agent started"))
    .map((l) => JSON.parse(l))
    .at(-1);
  return hostPort(started.managementAddress, started.agentPort);
}

beforeAll(async () => {
  fleet = await SmallFleet.plan(HOSTS, 6);
  hosts = fleet.hosts;
  secrets.push(fleet.enrolment.enrolmentToken.split("_")[2]);
  await fleet.startServer("--seats", `${SEATS}`, "--domain", "default", "other");
  for (const host of hosts) fleet.startAgent(host);
  await fleet.until("all LOCKED", LOCK_PATIENCE_S, () => fleet.areLocked(hosts));
}, 120_000);

afterAll(() => fleet.close());

test("who has no certificate may call Enrol at the server and nothing else, and at an agent not even shake hands", async () => {
  const { authority } = identityOf(hosts[0]);
  const stranger = { authority };
  for (const service of [CoordinatorService, PeerService]) {
    const answer = await new Promise<{ code: status }>((resolve) => {
      const client = clientOf(service, fleet.address, stranger);
      const [method] = service.methods;
      const call = client[method.localName](new Metadata());
      call.on("error", resolve);
      call.on("data", () => resolve({ code: status.OK }));
    });
    expect([service.typeName, answer.code]).toEqual([service.typeName, status.UNAUTHENTICATED]);
  }
  const enrolClient = clientOf(EnrolmentService, fleet.address, stranger);
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
  const before = (await fleet.statusOf(hosts[0]))!.counters.peer_unknown_hosts ?? 0;
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
  await fleet.until("counted as unknown", 10, async () => {
    const { counters } = (await fleet.statusOf(hosts[0]))!;
    return (counters.peer_unknown_hosts ?? 0) > before;
  });
  expect(heard).toBe(0);
  stream.cancel();
  client.close();
  expect(fleet.command("host", "remove", "evil").status).toBe(0);
});

test("a copy of a host, key and all, is refused; it and the first are told, and the first goes on", async () => {
  const [, first] = hosts;
  const copy = { ...first, clock: { ...first.clock, stateDir: join(fleet.dir, "copy") } };
  cpSync(join(fleet.dir, first.id), copy.clock.stateDir, {
    recursive: true,
    filter: (from) => !from.endsWith(".sock"),
  });
  const copied = {
    ...copy,
    configFile: join(fleet.dir, "copy", "ttcs-agent.cfg"),
    status: join(fleet.dir, "copy", "agent.sock"),
    persistentDir: join(fleet.dir, "copy", "state"),
    clock: { ...copy.clock, index: 30 },
  };
  fleet.writeConfig(copied);
  fleet.start("copy", ["agent", "--config", copied.configFile]);
  await fleet.until(
    "the copy is refused",
    20,
    async () => (await fleet.statusOf(copied))?.reason.includes("with the same key") ?? false,
  );
  await fleet.until("the first is told", 20, async () => {
    const told = await fleet.statusOf(first);
    return told?.alarms.some((a) => a.includes("is also used from")) ?? false;
  });
  expect((await fleet.statusOf(first))?.state).toBe("LOCKED");
  fleet.children.get("copy")!.kill("SIGKILL");
});

test("of many hosts that enrol at once, as many as there are seats left do, and the others are told", async () => {
  const free = SEATS - HOSTS;
  const answers: string[] = [];
  const join = async (i: number) => {
    const enrolment = enrolmentOf(`crowd-${i}`);
    for (;;) {
      try {
        await enrolment.at(fleet.address);
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
  expect(await fleet.areLocked(hosts)).toBe(true);
}, 300_000);

test("a revoked host is gone within ten seconds, and comes back with a new token only", async () => {
  const victim = hosts[3];
  const others = hosts.slice(0, 3);
  expect(fleet.command("host", "revoke", victim.id).stdout).toContain(
    "is revoked: its seat is free",
  );
  const goneS = await fleet.until("gone", GONE_WITHIN_S, async () => {
    const states = await Promise.all(others.map((h) => fleet.statusOf(h)));
    const isNobodysNeighbour = states.every((s) =>
      s?.neighbours.every((n) => n.host !== victim.id),
    );
    const own = await fleet.statusOf(victim);
    const knows = own?.reason.includes('host "h4" was revoked') ?? false;
    return isNobodysNeighbour && knows && own?.state !== "LOCKED";
  });
  console.log(`revoked: nobody's neighbour and not LOCKED after ${goneS.toFixed(1)} s`);
  expect(await fleet.areLocked(others)).toBe(true);
  const made = fleet.command("token", "new");
  const [, token] = /enrolment_token: "([^"]+)"/.exec(made.stdout)!;
  secrets.push(token.split("_")[2]);
  const config = readFileSync(victim.configFile, "utf8").replace(
    fleet.enrolment.enrolmentToken,
    token,
  );
  fleet.children.get(victim.id)!.kill("SIGTERM");
  await sleep(500);
  writeFileSync(victim.configFile, config);
  fleet.start(victim.id, ["agent", "--config", victim.configFile]);
  await fleet.until("back", LOCK_PATIENCE_S, () => fleet.areLocked([victim]));
}, 120_000);

test("with a token that was ended nobody joins; hosts that have joined stay", async () => {
  const [, id] = fleet.enrolment.enrolmentToken.split("_");
  expect(fleet.command("token", "end", id).stdout).toContain("nobody enrols with token");
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
  expect(await fleet.areLocked(hosts.slice(0, 3))).toBe(true);
  expect(fleet.command("token", "end", id).stderr).toContain("there is no token");
});

test("secrets are in no log, no process' arguments, and not in the database", async () => {
  for (const host of hosts) {
    const { privateKey } = identityOf(host);
    secrets.push(privateKey.split("\n")[1]);
  }
  const passphrase = readFileSync(join(fleet.stateDir, "authority.key"), "utf8").trim();
  secrets.push(passphrase);
  const files = [
    ...readdirSync(fleet.stateDir)
      .filter((f) => f.startsWith("server.db"))
      .map((f) => join(fleet.stateDir, f)),
    ...readdirSync(fleet.dir)
      .filter((f) => f.endsWith(".out"))
      .map((f) => join(fleet.dir, f)),
    ...hosts.map((h) => join(h.clock.stateDir, "ttcs-agent.log")),
  ];
  expect(files.length).toBeGreaterThan(2 * HOSTS);
  const pids = [...fleet.children.values()].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
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
