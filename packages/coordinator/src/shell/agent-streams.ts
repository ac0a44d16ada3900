/**
 * The streams of a server's agents: which there are, who speaks on them, and what goes to them.
 *
 * What is sent passes an outflow (`outflow.ts`), so that who does not read costs nobody anything; who has
 * taken nothing for too long is ended, with a line in the log. A stream that is welcomed has joined and
 * proved its connection to the door.
 */
import { create } from "@bufbuild/protobuf";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import {
  type AgentMessage,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
} from "@ttcs/protocol";
import { failpoint } from "@ttcs/units";
import type { Logger } from "pino";
import type { Body } from "../core/outbox.ts";
import type { CoordinatorCounters, CoordinatorDoor } from "./options.ts";
import { Outflow } from "./outflow.ts";
import type { Speaker } from "./speaker.ts";

/** A stream that is gone was stalled when a message had waited for so long (ms). */
const STALLED_TOLD_MS = 2_000;

export type AgentStream = ServerDuplexStream<AgentMessage, CoordinatorMessage>;

interface Line {
  readonly stream: AgentStream;
  readonly outflow: Outflow;
  speaker?: Speaker;
  hasJoined: boolean;
}

/** What the streams need, and whom they tell. */
export interface StreamsNeeds {
  readonly door: CoordinatorDoor;
  readonly log: Logger;
  readonly counters: CoordinatorCounters;
  /** A stream has ended. */
  readonly gone: (connection: number, speaker: Speaker | undefined) => void;
}

/** See the module head. Streams go by numbers that never come again. */
export class AgentStreams {
  readonly #needs: StreamsNeeds;
  readonly #lines = new Map<number, Line>();
  #nextConnection = 1;
  #joinedCount = 0;

  constructor(needs: StreamsNeeds) {
    this.#needs = needs;
  }

  /** Streams of agents that have joined. */
  get joinedCount(): number {
    return this.#joinedCount;
  }

  /** A new stream; it is taken note of when it ends. */
  add(stream: AgentStream): number {
    const connection = this.#nextConnection++;
    const outflow = new Outflow((message, left) => {
      // What waited behind a farewell is not sent any more.
      if (!stream.writableEnded) stream.write(message, left);
    });
    this.#lines.set(connection, { stream, outflow, hasJoined: false });
    const gone = () => this.drop(connection);
    stream.on("error", gone);
    stream.on("cancelled", gone);
    stream.on("close", gone);
    stream.on("end", () => {
      gone();
      stream.end();
    });
    return connection;
  }

  /** It is known who speaks. @returns false: the stream has ended meanwhile */
  identified(connection: number, speaker: Speaker): boolean {
    const line = this.#lines.get(connection);
    if (line) line.speaker = speaker;
    return line !== undefined;
  }

  hasJoined(connection: number): boolean {
    return this.#lines.get(connection)?.hasJoined ?? false;
  }

  /** Numbers and speakers of the streams whose speaker `is` so. */
  speakers(is: (speaker: Speaker) => boolean): [number, Speaker][] {
    return [...this.#lines].flatMap(([connection, { speaker }]): [number, Speaker][] =>
      speaker && is(speaker) ? [[connection, speaker]] : [],
    );
  }

  /** Sends a message when those before it have left. */
  send(connection: number, message: CoordinatorMessage): void {
    const line = this.#lines.get(connection);
    if (message.body.case === "welcome" && line && !line.hasJoined) {
      line.hasJoined = true;
      this.#joinedCount++;
      this.#needs.door.prove(line.stream.getPeer());
    }
    failpoint("server.send.before");
    line?.outflow.send(message);
    failpoint("server.send.after");
    if (!line?.outflow.isStalled) return;
    const peer = line.stream.getPeer();
    line.stream.destroy();
    this.drop(connection);
    this.#needs.door.expel(peer);
  }

  /** Ends a stream when all that waits has left. */
  end(connection: number): void {
    const line = this.#lines.get(connection);
    line?.outflow.end(() => line.stream.end());
  }

  /** A last word, at once. @returns false: nobody is there to hear it */
  farewell(connection: number, domain: string, body: Body): boolean {
    const stream = this.#lines.get(connection)?.stream;
    return stream !== undefined && farewell(stream, domain, body);
  }

  /** The stream is none of ours any more. */
  drop(connection: number): void {
    const line = this.#lines.get(connection);
    if (!line) return;
    this.#lines.delete(connection);
    failpoint("server.gone");
    if (line.hasJoined) this.#joinedCount--;
    if (line.speaker) this.#tellStalled(line.speaker.peer, line.outflow);
    this.#needs.gone(connection, line.speaker);
  }

  /** Says why a stream is gone, if it was for what its reader did not take: we ended it, or its pings did. */
  #tellStalled(peer: string, { waitedMs, replacedCount }: Outflow): void {
    if (waitedMs < STALLED_TOLD_MS) return;
    this.#needs.counters.ended_streams++;
    const took = `took nothing for ${(waitedMs / 1e3).toFixed(1)} s`;
    this.#needs.log.warn(
      `a stalled stream is ended: ${peer} ${took}; ${replacedCount} corrections dropped`,
    );
  }
}

function farewell(stream: AgentStream, domain: string, body: Body): boolean {
  if (stream.writableEnded) return false;
  stream.write(create(CoordinatorMessageSchema, { header: { domain }, body }));
  stream.end();
  return true;
}
