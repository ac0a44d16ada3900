import { createHash } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import {
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import { type ExchangeFlush, ExchangeFlushSchema } from "@ttcs/protocol";
import { expect, onTestFinished, test } from "vitest";
import { noMeter } from "../core/meter.ts";
import { TestAuthority, type TestIdentity } from "../testing/authority.ts";
import { BlackHole } from "./black-hole.ts";
import { CONNECT_MS, limitConnectTime } from "./connect-deadline.ts";
import { channelCredentials, exchangeWatch, peerService, serverOptions } from "./grpc.ts";
import { Dial } from "./peer-dial.ts";

/** These wait for events, some seconds each; a kernel alone would let them wait for a minute. */
const TIMEOUT_MS = 40_000;

const service = peerService(exchangeWatch(noMeter, () => {}));
const Client = makeGenericClientConstructor(service, "PeerService");

const authority = await TestAuthority.make();
const [owner, dialler, stranger] = await Promise.all(
  ["owner", "dialler", "stranger"].map((name) => authority.identify(name)),
);
/** Believes nobody but the one whose certificate this is. */
const towards = ({ certificateHash }: TestIdentity) =>
  channelCredentials(
    dialler,
    (der) => createHash("sha256").update(der).digest("hex") === certificateHash,
  );

type Call = ServerDuplexStream<ExchangeFlush, ExchangeFlush>;

/** A neighbour that takes calls; `onCall` is told of each. */
async function neighbour(onCall: (call: Call) => void): Promise<string> {
  const server = new Server(serverOptions);
  server.addService(service, { exchange: onCall });
  const port = await new Promise<number>((resolve, reject) => {
    const pair = {
      private_key: Buffer.from(owner.privateKey),
      cert_chain: Buffer.from(owner.certificateChain),
    };
    const shown = ServerCredentials.createSsl(Buffer.from(owner.authority), [pair], true);
    server.bindAsync("127.0.0.1:0", shown, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

async function blackHole(): Promise<BlackHole> {
  const hole = await BlackHole.open();
  onTestFinished(() => hole.close());
  return hole;
}

test(
  "a connection that nothing answers is given up long before the kernel does",
  async () => {
    const hole = await blackHole();
    limitConnectTime();
    const socket = connect(hole.port, "127.0.0.1");
    const [error] = await once(socket, "error").catch((e) => [e]);
    expect((error as Error).message).toBe(`no connection within ${CONNECT_MS} ms`);
  },
  TIMEOUT_MS,
);

test(
  "a neighbour behind a cut is dialled with a fresh connection again and again",
  async () => {
    const hole = await blackHole();
    limitConnectTime();
    const sockets: Socket[] = [];
    const three = new Promise<void>((resolve) => {
      const count = (message: unknown) => {
        sockets.push((message as { socket: Socket }).socket);
        if (sockets.length === 3) resolve();
      };
      subscribe("net.client.socket", count);
      onTestFinished(() => void unsubscribe("net.client.socket", count));
    });
    const dial = new Dial(Client, hole.address, towards(owner), () => {});
    onTestFinished(() => dial.close());
    await three;
    // What was given up does not go on knocking.
    expect(sockets[0].destroyed).toBe(true);
    expect(sockets[1].destroyed).toBe(true);
  },
  TIMEOUT_MS,
);

test(
  "a stream that falls silent is replaced, on another connection",
  async () => {
    const peers: string[] = [];
    let second = () => {};
    const replaced = new Promise<void>((resolve) => {
      second = resolve;
    });
    const address = await neighbour((call) => {
      peers.push(call.getPeer());
      call.on("error", () => {});
      call.write(create(ExchangeFlushSchema, { fromHost: 7 }));
      if (peers.length === 2) second();
    });
    const heard: number[] = [];
    const dial = new Dial(Client, address, towards(owner), (flush) => heard.push(flush.fromHost));
    onTestFinished(() => dial.close());
    await replaced;
    expect(heard[0]).toBe(7);
    expect(peers[1]).not.toBe(peers[0]);
  },
  TIMEOUT_MS,
);

test(
  "a neighbour that goes on speaking keeps its stream",
  async () => {
    const FLUSHES = 8;
    let calls = 0;
    const address = await neighbour((call) => {
      calls++;
      call.on("error", () => {});
      const speak = setInterval(
        () => call.write(create(ExchangeFlushSchema, { fromHost: 7 })),
        500,
      );
      onTestFinished(() => clearInterval(speak));
    });
    await new Promise<void>((resolve) => {
      let heard = 0;
      const dial = new Dial(Client, address, towards(owner), () => {
        if (++heard === FLUSHES) resolve();
      });
      onTestFinished(() => dial.close());
    });
    expect(calls).toBe(1);
  },
  TIMEOUT_MS,
);

test(
  "a neighbour with another certificate than was named is told nothing, though the authority vouches for it",
  async () => {
    let calls = 0;
    const address = await neighbour((call) => {
      calls++;
      call.on("error", () => {});
    });
    const heard: ExchangeFlush[] = [];
    const dial = new Dial(Client, address, towards(stranger), (flush) => heard.push(flush));
    onTestFinished(() => dial.close());
    await sleep(1_500);
    expect([calls, heard.length]).toEqual([0, 0]);
    const right = new Dial(Client, address, towards(owner), (flush) => heard.push(flush));
    onTestFinished(() => right.close());
    for (let waitedMs = 0; calls === 0 && waitedMs < 10_000; waitedMs += 20) await sleep(20);
    expect(calls).toBe(1);
  },
  TIMEOUT_MS,
);
