import { create } from "@bufbuild/protobuf";
import {
  type ClientDuplexStream,
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { CoordinatorService } from "./gen/clocksync/coordinator_pb.js";
import { type ExchangeFlush, ExchangeFlushSchema, PeerService } from "./gen/clocksync/peer_pb.js";
import { grpcServiceDefinition } from "./rpc.ts";

const toBuffer = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const definition = grpcServiceDefinition(PeerService, toBuffer);

type Stream = ClientDuplexStream<ExchangeFlush, ExchangeFlush>;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

/** A server that answers each flush with its sender and receiver exchanged. */
async function startServer(): Promise<number> {
  const server = new Server();
  server.addService(definition, {
    exchange(call: ServerDuplexStream<ExchangeFlush, ExchangeFlush>) {
      call.on("data", (flush: ExchangeFlush) => {
        const { fromHost, toHost, baseRawNs } = flush;
        call.write(create(ExchangeFlushSchema, { fromHost: toHost, toHost: fromHost, baseRawNs }));
      });
      call.on("end", () => call.end());
      call.on("error", () => {});
    },
  });
  closers.push(() => server.forceShutdown());
  return await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

function dial(port: number, methods = definition): Stream {
  const Client = makeGenericClientConstructor(methods, PeerService.typeName);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  closers.push(() => client.close());
  return client.exchange() as unknown as Stream;
}

describe("a gRPC service definition", () => {
  it("names the path and the streams of each method", () => {
    expect(definition.exchange).toMatchObject({
      path: "/clocksync.PeerService/Exchange",
      requestStream: true,
      responseStream: true,
      originalName: "Exchange",
    });
    expect(Object.keys(definition)).toEqual(["exchange"]);
    expect(grpcServiceDefinition(CoordinatorService, toBuffer).subscribe.path).toBe(
      "/clocksync.CoordinatorService/Subscribe",
    );
  });

  it("keeps the types of its messages", () => {
    const flush: ExchangeFlush = definition.exchange.requestDeserialize(
      definition.exchange.requestSerialize(create(ExchangeFlushSchema, { fromHost: 7 })),
    );
    expect(flush.fromHost).toBe(7);
    // @ts-expect-error A flush has no such field.
    expect(flush.hostName).toBeUndefined();
  });

  it("tells its watch what it cannot read, and when packing begins and ends", () => {
    const told: string[] = [];
    const { exchange } = grpcServiceDefinition(PeerService, toBuffer, {
      undecodable: () => told.push("undecodable"),
      begin: () => told.push("begin"),
      end: () => told.push("end"),
    });
    exchange.requestDeserialize(exchange.requestSerialize(create(ExchangeFlushSchema, {})));
    expect(told).toEqual(["begin", "end", "begin", "end"]);
    expect(() => exchange.requestDeserialize(Uint8Array.of(0x2a, 0x7f, 0x01))).toThrow();
    expect(told.slice(4)).toEqual(["begin", "undecodable", "end"]);
  });

  it("throws on bytes that are no message", () => {
    const broken = Uint8Array.of(0x2a, 0x7f, 0x01);
    expect(() => definition.exchange.requestDeserialize(broken)).toThrow();
    expect(() => definition.exchange.responseDeserialize(broken)).toThrow();
  });

  it("carries a bidirectional stream over loopback", async () => {
    const stream = dial(await startServer());
    const received: ExchangeFlush[] = [];
    const done = new Promise<void>((resolve, reject) => {
      stream.on("data", (flush: ExchangeFlush) => {
        received.push(flush);
        if (received.length === 2) stream.end();
      });
      stream.on("end", resolve);
      stream.on("error", reject);
    });
    const baseRawNs = 2n ** 62n + 1n;
    stream.write(create(ExchangeFlushSchema, { fromHost: 1, toHost: 2, baseRawNs }));
    stream.write(create(ExchangeFlushSchema, { fromHost: 3, toHost: 4 }));
    await done;
    expect(received.map((f) => [f.fromHost, f.toHost, f.baseRawNs])).toEqual([
      [2, 1, baseRawNs],
      [4, 3, 0n],
    ]);
  });

  it("ends a call whose request is broken with a status, and the server lives on", async () => {
    const port = await startServer();
    const broken = {
      exchange: {
        ...definition.exchange,
        requestSerialize: () => Buffer.from([0x2a, 0x7f, 0x01]),
      },
    };
    const failing = dial(port, broken);
    const failed = new Promise<ServiceError>((resolve) => failing.on("error", resolve));
    failing.on("data", () => {});
    failing.write(create(ExchangeFlushSchema, {}));
    expect((await failed).code).toBe(status.INTERNAL);

    const sound = dial(port);
    const answer = new Promise<ExchangeFlush>((resolve, reject) => {
      sound.on("data", resolve);
      sound.on("error", reject);
    });
    sound.write(create(ExchangeFlushSchema, { fromHost: 5, toHost: 6 }));
    expect((await answer).fromHost).toBe(6);
    sound.end();
  });
});
