import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, type ServerDuplexStream } from "@grpc/grpc-js";
import type { ExchangeFlush } from "@ttcs/protocol";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { Buckets } from "./buckets.ts";
import { Door } from "./door.ts";
import { FLEET_DOOR } from "./door-limits.ts";
import { DoorLine } from "./door-line.ts";
import { peerService, serverOptions } from "./grpc.ts";

const PATIENCE_MS = 5_000;
type Call = ServerDuplexStream<ExchangeFlush, ExchangeFlush>;

async function open(onCall: (call: Call, door: Door) => void = () => {}, options = {}) {
  const door = new Door({ name: "test", provedMax: 2, ...options }, pino({ level: "silent" }));
  const server = new Server(serverOptions);
  server.addService(peerService({}), { exchange: (call: Call) => onCall(call, door) });
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

test("what does not begin like HTTP/2 is counted and ended, in one piece or byte by byte", async () => {
  const { door, port } = await open();
  const whole = await dial(port, "GET / HTTP/1.1\r\n\r\n");
  const slow = await dial(port, "PRI * HT");
  await until(() => door.counters.junk_first_bytes === 1);
  slow.write("XX");
  await until(() => door.counters.junk_first_bytes === 2);
  await until(() => whole.destroyed && slow.destroyed);
});

test("a call on a connection whose first bytes came apart reaches the server", async () => {
  const calls: string[] = [];
  const { door, port } = await open((call) => calls.push(call.getPeer()));
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const session = connectHttp2("http://127.0.0.1", { createConnection: () => socket });
  session.on("error", () => {});
  const path = "/clocksync.PeerService/Exchange";
  session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  await until(() => calls.length === 1);
  expect(calls[0]).toBe(`127.0.0.1:${socket.localPort}`);
  expect(door.counters.junk_first_bytes).toBe(0);
  session.destroy();
  await until(() => door.counters.unproved_gone === 1);
});

test("calls to methods that do not exist count like others, and end the connection", async () => {
  const { door, port } = await open();
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  for (let i = 0; i < 50 && door.counters.expelled === 0; i++) {
    // One after the other: more at once are refused by HTTP/2 itself.
    const stream = session.request({ ":method": "POST", ":path": "/no/such" }).end();
    stream.on("error", () => {});
    stream.resume();
    await sleep(10);
  }
  await until(() => door.counters.expelled === 1);
  await until(() => session.destroyed);
});

test("who proves himself stays and may say more; the house takes so many of them", async () => {
  const { door, port } = await open((call, d) => d.prove(call.getPeer()));
  const path = "/clocksync.PeerService/Exchange";
  const sessions = [1, 2, 3].map(() => connectHttp2(`http://127.0.0.1:${port}`));
  for (const session of sessions) {
    session.on("error", () => {});
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
    session.request(headers).on("error", () => {});
  }
  await until(() => door.counters.refused_full === 1);
  await until(() => sessions.filter((s) => s.destroyed).length === 1);
  const peers = sessions.filter((s) => !s.destroyed).map((s) => `127.0.0.1:${s.socket.localPort}`);
  for (let i = 0; i < 20; i++) expect(door.maySpeak(peers[0])).toBe(true);
  while (door.maySpeak(peers[0]));
  expect(door.counters.expelled).toBe(1);
  for (const session of sessions) session.destroy();
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
  const path = "/clocksync.PeerService/Exchange";
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
  const sessions = Array.from({ length: 300 }, () => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    session.request(headers).on("error", () => {});
    return session;
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
  for (const session of sessions) session.destroy();
});

test("of a line each address is let in in turn, and those without room are passed over", () => {
  const line = new DoorLine();
  const socketOf = (remoteAddress: string) => ({ remoteAddress }) as Socket;
  for (const address of ["a", "a", "a", "b", "c"]) line.push(socketOf(address));
  const order = Array.from({ length: 4 }, () => line.next((a) => a !== "c")?.remoteAddress);
  expect(order).toEqual(["a", "b", "a", "a"]);
  expect(line.next((a) => a !== "c")).toBeUndefined();
  expect(line.count).toBe(1);
});
