/**
 * For the test of idle streams through a NAT: a coordinator that says Welcome, nothing for a long
 * while, and then one word more; and the shipped link, which has to hear it. Prints what happens.
 *
 * node nat-idle.ts server ADDRESS SECONDS | node nat-idle.ts client ADDRESS
 */
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { CoordinatorLink, serverOptions } from "@ttcs/agent";
import {
  type AgentMessage,
  AgentMessageSchema,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  CoordinatorService,
  grpcServiceDefinition,
} from "@ttcs/protocol";

type Stream = ServerDuplexStream<AgentMessage, CoordinatorMessage>;

const say = (text: string) => process.stdout.write(`${text}\n`);

function serve(address: string, quietS: number): void {
  const server = new Server(serverOptions);
  const toBuffer = (b: Uint8Array) => Buffer.from(b.buffer, b.byteOffset, b.byteLength);
  server.addService(grpcServiceDefinition(CoordinatorService, toBuffer), {
    subscribe: (stream: Stream) => {
      const body = (value: CoordinatorMessage["body"]) =>
        stream.write(
          create(CoordinatorMessageSchema, { header: { domain: "default" }, body: value }),
        );
      stream.once("data", () => {
        body(create(CoordinatorMessageSchema, { body: { case: "welcome", value: {} } }).body);
        setTimeout(() => {
          body(create(CoordinatorMessageSchema, { body: { case: "waiting", value: {} } }).body);
        }, quietS * 1e3);
      });
      stream.on("error", (error) => say(`server lost ${error.message}`));
      stream.on("cancelled", () => say("server lost: cancelled"));
    },
  });
  server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
    say(error ? error.message : "listening");
  });
}

function subscribe(address: string): void {
  const link = new CoordinatorLink([address], {
    onOpen: () => {
      const header = { domain: "default" };
      const body = { case: "hello" as const, value: { hostId: "idle" } };
      link.send(create(AgentMessageSchema, { header, body }));
    },
    onMessage: ({ body }) => say(`heard ${body.case}`),
    onClose: (reason) => say(`lost: ${reason}`),
  });
  link.open();
}

const [role, address, quietS] = process.argv.slice(2);
if (role === "server") serve(address, Number(quietS));
else subscribe(address);
