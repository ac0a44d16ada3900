/** Messages as agents and coordinators send them, out of a small world, and empty ones of every type. */
import { create, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import {
  AgentConfigSchema,
  type AgentMessage,
  AgentMessageSchema,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  type ExchangeFlush,
  ExchangeFlushSchema,
  HeaderSchema,
} from "@ttcs/protocol";
import { World } from "@ttcs/simulator";

/** Until after the first corrections (s). */
const WORLD_S = 5;
/** Messages of one kind that are kept. */
const KEPT = 6;

/** Every message of the schema's files, those in fields of others among them. */
export const ALL_MESSAGES: readonly DescMessage[] = [
  AgentMessageSchema,
  ExchangeFlushSchema,
  AgentConfigSchema,
  HeaderSchema,
].flatMap((schema) => schema.file.messages);

/** A type and bytes of it. */
export interface Sample {
  readonly desc: DescMessage;
  readonly bytes: Uint8Array;
}

/** What passes in a world in its first seconds, some of each kind, with all that it is made of. */
export function recordSamples(): Sample[] {
  const kept = new Map<string, Sample[]>();
  const keep = (desc: DescMessage, message: Message, kind = desc.typeName) => {
    const list = kept.get(kind) ?? [];
    kept.set(kind, list);
    // The newest: those of the beginning are nearly empty.
    if (list.length >= KEPT) list.shift();
    list.push({ desc, bytes: toBinary(desc, message) });
    for (const part of partsOf(desc, message)) keep(part.desc, part.message);
  };
  const world = new World({ seed: 1, hosts: 4 });
  const { server } = world;
  const hear = server!.handleMessage.bind(server);
  server!.handleMessage = (connection, message: AgentMessage, now) => {
    keep(AgentMessageSchema, message, `from agent: ${message.body.case}`);
    return hear(connection, message, now);
  };
  for (const { core } of world.nodes) {
    const take = core.handleMessage.bind(core);
    core.handleMessage = (message: CoordinatorMessage, nowRawNs) => {
      keep(CoordinatorMessageSchema, message, `from server: ${message.body.case}`);
      return take(message, nowRawNs);
    };
    const flush = core.handleFlush.bind(core);
    core.handleFlush = (message: ExchangeFlush) => {
      keep(ExchangeFlushSchema, message);
      return flush(message);
    };
  }
  world.run(WORLD_S);
  const empty = ALL_MESSAGES.map((desc) => ({ desc, bytes: toBinary(desc, create(desc)) }));
  return [...[...kept.values()].flat(), ...empty];
}

function partsOf(desc: DescMessage, message: Message): { desc: DescMessage; message: Message }[] {
  const fields = message as unknown as Record<string, unknown>;
  return desc.fields.flatMap((field) => {
    const member =
      field.oneof && (fields[field.oneof.localName] as { case?: string; value?: unknown });
    const value = member
      ? member.case === field.localName
        ? member.value
        : undefined
      : fields[field.localName];
    if (value === undefined) return [];
    if (field.fieldKind === "message") return [{ desc: field.message, message: value as Message }];
    if (field.fieldKind !== "list" || field.listKind !== "message") return [];
    return (value as Message[]).map((part) => ({ desc: field.message, message: part }));
  });
}
