import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { Server, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  type AgentMessage,
  AgentMessageSchema,
  COORDINATOR_NAME,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
} from "@ttcs/protocol";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { TestAuthority } from "../testing/authority.ts";
import { CoordinatorLink } from "./coordinator-link.ts";
import { Door } from "./door.ts";
import { coordinatorService, serverOptions } from "./grpc.ts";

/** Longer than an agent bears silence on a stream that has spoken, shorter than its patience before. */
const BUSY_MS = 3_000;

test("the first word of a busy coordinator is waited for longer than any later one", async () => {
  const authority = await TestAuthority.make();
  const [own, agent] = await Promise.all([
    authority.identify(COORDINATOR_NAME),
    authority.identify("agent"),
  ]);
  let calls = 0;
  const server = new Server(serverOptions);
  server.addService(coordinatorService({ undecodable: () => {} }), {
    subscribe: async (stream: ServerDuplexStream<AgentMessage, CoordinatorMessage>) => {
      calls++;
      stream.on("error", () => {});
      await sleep(BUSY_MS);
      stream.write(create(CoordinatorMessageSchema, { body: { case: "welcome", value: {} } }));
    },
  });
  const door = new Door({ name: "test", provedMax: 2 }, pino({ level: "silent" }));
  door.present(own);
  const port = await door.listen("127.0.0.1", 0, server);
  const heard: string[] = [];
  const link = new CoordinatorLink([`127.0.0.1:${port}`], agent, {
    onOpen: () => link.send(create(AgentMessageSchema, {})),
    onMessage: ({ body }) => heard.push(body.case ?? ""),
    onClose: (reason) => heard.push(reason),
  });
  onTestFinished(() => {
    link.close();
    door.close();
    server.forceShutdown();
  });
  link.open();
  for (let waitedMs = 0; waitedMs < 3 * BUSY_MS && heard.length === 0; waitedMs += 20) {
    await sleep(20);
  }
  expect(heard).toEqual(["welcome"]);
  expect(calls).toBe(1);
});
