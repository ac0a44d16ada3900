import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { Server, type ServerDuplexStream } from "@grpc/grpc-js";
import type { ExchangeFlush } from "@ttcs/protocol";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { TestAuthority, type TestIdentity } from "../testing/authority.ts";
import { Buckets } from "./buckets.ts";
import { Door } from "./door.ts";
import { FLEET_DOOR } from "./door-limits.ts";
import { DoorLine } from "./door-line.ts";
import { peerService, serverOptions } from "./grpc.ts";

const PATIENCE_MS = 5_000;
const authority = await TestAuthority.make();
const [owner, caller] = await Promise.all([
  authority.identify("own"),
  authority.identify("caller"),
]);

/** An HTTP/2 session, with a certificate unless another identity is given. */
function session(port: number, identity: Partial<TestIdentity> = caller): ClientHttp2Session {
  const opened = connectHttp2(`https://127.0.0.1:${port}`, {
    ...(identity.privateKey ? { key: identity.privateKey, cert: identity.certificateChain } : {}),
    ca: owner.authority,
    checkServerIdentity: () => undefined,
  });
  opened.on("error", () => {});
  return opened;
}

/** The head of a TLS record that promises more. */
const TLS_FIRST_WORDS = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
type Call = ServerDuplexStream<ExchangeFlush, ExchangeFlush>;

async function open(onCall: (call: Call, door: Door) => void = () => {}, options = {}) {
  const door = new Door({ name: "test", provedMax: 2, ...options }, pino({ level: "silent" }));
  const server = new Server(serverOptions);
  server.addService(peerService({}), { exchange: (call: Call) => onCall(call, door) });
  door.present(owner);
  const port = await door.listen("127.0.0.1", 0, server);
  onTestFinished(() => {
    door.close();
    server.forceShutdown();
  });
  return { door, port };
}

async function until(done: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && !done(); waitedMs += 10) await sleep(10);
  expect(done()).toBe(true);
}

async function dial(port: number, text = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  if (text !== "") socket.write(text);
  return socket;
}

const CALL = {
  ":method": "POST",
  ":path": "/clocksync.PeerService/Exchange",
  "content-type": "application/grpc",
};

test("what does not begin like TLS is counted and ended, and so is TLS that is not HTTP/2", async () => {
  const { door, port } = await open();
  const plain = await dial(port, "GET / HTTP/1.1\r\n\r\n");
  await until(() => door.counters.failed_handshakes === 1 && plain.destroyed);
  const inside = connectTls({
    port,
    host: "127.0.0.1",
    key: caller.privateKey,
    cert: caller.certificateChain,
    ca: owner.authority,
    ALPNProtocols: ["h2"],
    checkServerIdentity: () => undefined,
  });
  inside.on("error", () => {});
  await once(inside, "secureConnect");
  inside.write("GET / HTTP/1.1\r\n\r\n");
  inside.resume();
  await until(() => door.counters.broken_frames === 1 && inside.destroyed);
});

test("who hangs up while he waits is never shaken hands with, and whoever stays is not kept waiting", async () => {
  const limits = { ...FLEET_DOOR, atOnce: 1, lateAtOnceMax: 1, burstPerAddress: 100 };
  const { door, port } = await open(undefined, { limits });
  // One is let in at once, the others wait for a beat each; all have said their first words.
  const crowd = await Promise.all(Array.from({ length: 90 }, () => dial(port, TLS_FIRST_WORDS)));
  for (const one of crowd) one.end();
  await until(() => door.counters.unproved_gone > 60);
  const one = session(port);
  await once(one, "connect");
  expect(door.counters.unproved_gone + door.counters.failed_handshakes).toBeGreaterThanOrEqual(90);
  expect(door.counters.failed_handshakes).toBeLessThan(30);
  expect(door.counters.refused_rate).toBe(0);
  // Their places in the address's budget are free again.
  const others = await Promise.all(Array.from({ length: 60 }, () => dial(port)));
  expect(door.counters.refused_rate).toBe(0);
  for (const other of others) other.destroy();
  one.destroy();
});

test("a call on a connection reaches the server, which knows the caller by his certificate", async () => {
  const calls: string[] = [];
  const { door, port } = await open((call) => calls.push(call.getPeer()));
  const one = session(port);
  one.request(CALL).on("error", () => {});
  await until(() => calls.length === 1);
  expect(calls[0]).toBe(`127.0.0.1:${one.socket.localPort}`);
  expect(door.certificateOf(calls[0])).toBe(caller.certificateHash);
  expect(door.counters.failed_handshakes).toBe(0);
  one.destroy();
  await until(() => door.counters.unproved_gone === 1);
  expect(door.certificateOf(calls[0])).toBeUndefined();
});

test("who has no certificate, or one of another authority, sees this end's and nothing else", async () => {
  const { door, port } = await open();
  const other = await (await TestAuthority.make()).identify("caller");
  for (const [i, identity] of [{}, other].entries()) {
    const one = session(port, identity);
    const stream = one.request(CALL);
    stream.on("error", () => {});
    let answered = false;
    stream.on("response", () => {
      answered = true;
    });
    await until(() => door.counters.failed_handshakes === i + 1 && one.destroyed);
    expect(answered).toBe(false);
  }
});

test("where there is an open path, who has no certificate may call that and nothing else", async () => {
  const path = "/clocksync.PeerService/Exchange";
  const calls: Call[] = [];
  const { door, port } = await open((call) => calls.push(call), { openPath: path });
  const one = session(port, {});
  const statusOf = (asked: string) =>
    new Promise((resolve, reject) => {
      const stream = one.request({ ...CALL, ":path": asked });
      stream.on("response", (headers) => resolve(headers["grpc-status"]));
      stream.on("error", reject);
    });
  // Methods that exist and those that do not are refused alike.
  expect(await statusOf("/clocksync.PeerService/Other")).toBe("16");
  expect(await statusOf("/no/such")).toBe("16");
  expect(door.counters.refused_calls).toBe(2);
  one.request(CALL).on("error", () => {});
  await until(() => calls.length === 1);
  const bad = session(port, await (await TestAuthority.make()).identify("caller"));
  await until(() => door.counters.failed_handshakes === 1 && bad.destroyed);
  one.destroy();
});

test("a door that has nothing to show yet lets nobody in", async () => {
  const door = new Door({ name: "test", provedMax: 2 }, pino({ level: "silent" }));
  const server = new Server(serverOptions);
  const port = await door.listen("127.0.0.1", 0, server);
  onTestFinished(() => door.close());
  const early = await dial(port);
  await until(() => door.counters.unready === 1 && early.destroyed);
  door.present(owner);
  const late = session(port);
  await until(() => late.remoteSettings !== undefined);
  late.destroy();
});

test("calls to methods that do not exist count like others, and end the connection", async () => {
  const { door, port } = await open();
  const one = session(port);
  for (let i = 0; i < 50 && door.counters.expelled === 0; i++) {
    // One after the other: more at once are refused by HTTP/2 itself.
    const stream = one.request({ ":method": "POST", ":path": "/no/such" }).end();
    stream.on("error", () => {});
    stream.resume();
    await sleep(10);
  }
  await until(() => door.counters.expelled === 1);
  await until(() => one.destroyed);
});

test("who proves himself stays and may say more; the house takes so many of them", async () => {
  const { door, port } = await open((call, d) => d.prove(call.getPeer()));
  const sessions = [1, 2, 3].map(() => session(port));
  for (const one of sessions) one.request(CALL).on("error", () => {});
  await until(() => door.counters.refused_full === 1);
  await until(() => sessions.filter((s) => s.destroyed).length === 1);
  const peers = sessions.filter((s) => !s.destroyed).map((s) => `127.0.0.1:${s.socket.localPort}`);
  for (let i = 0; i < 20; i++) expect(door.maySpeak(peers[0])).toBe(true);
  while (door.maySpeak(peers[0]));
  expect(door.counters.expelled).toBe(1);
  for (const one of sessions) one.destroy();
});

test("more connections from one address than anybody needs are refused", async () => {
  const { door, port } = await open();
  const sockets = await Promise.all(
    Array.from({ length: 200 }, () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      return socket;
    }),
  );
  await until(() => door.counters.connections === 200);
  expect(door.counters.refused_rate).toBeGreaterThan(100);
  for (const socket of sockets) socket.destroy();
});

test("a bucket gives its tokens, fills with time, and takes one back", () => {
  const buckets = new Buckets(2, 10);
  expect([1, 2, 3].map(() => buckets.take("a", 0))).toEqual([true, true, false]);
  expect(buckets.take("b", 0)).toBe(true);
  buckets.giveBack("a");
  expect(buckets.take("a", 0)).toBe(true);
  expect(buckets.take("a", 50)).toBe(false);
  expect(buckets.take("a", 150)).toBe(true);
});

test("a crowd of one address waits for its members to have had a moment to speak", async () => {
  const { door, port } = await open();
  const beganMs = performance.now();
  const sockets = await Promise.all(Array.from({ length: 40 }, () => dial(port)));
  // 32 are inside: eight more come in, four in a beat of 20 ms, when the oldest had twelve beats.
  await until(() => door.counters.evicted === 8);
  expect(performance.now() - beganMs).toBeGreaterThan(230);
  expect(door.counters.refused_rate + door.counters.refused_full).toBe(0);
  for (const socket of sockets) socket.destroy();
});

test("a fleet that knocks all at once waits in line at a server's door: nobody is sent away", async () => {
  const options = { provedMax: 1_000, limits: FLEET_DOOR };
  const { door, port } = await open((call, d) => d.prove(call.getPeer()), options);
  const sessions = Array.from({ length: 300 }, () => {
    const one = session(port);
    one.request(CALL).on("error", () => {});
    return one;
  });
  await until(() => door.counters.connections === 300);
  const inside = () => sessions.filter((s) => !s.destroyed && s.remoteSettings !== undefined);
  await until(() => inside().length === 300);
  const { refused_rate, refused_full, evicted } = door.counters;
  expect({ refused_rate, refused_full, evicted }).toEqual({
    refused_rate: 0,
    refused_full: 0,
    evicted: 0,
  });
  for (const one of sessions) one.destroy();
});

test("of a line each address is let in in turn, and those without room are passed over", () => {
  const line = new DoorLine();
  const socketOf = (value: string) =>
    Object.defineProperty(new Socket(), "remoteAddress", { value });
  for (const address of ["a", "a", "a", "b", "c"]) line.push(socketOf(address), () => {});
  const order = Array.from({ length: 4 }, () => line.next((a) => a !== "c")?.remoteAddress);
  expect(order).toEqual(["a", "b", "a", "a"]);
  expect(line.next((a) => a !== "c")).toBeUndefined();
  expect(line.count).toBe(1);
});
