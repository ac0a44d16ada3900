import { create } from "@bufbuild/protobuf";
import { type AgentMessage, AgentMessageSchema, HostState } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { DomainCore } from "./domain.ts";

const CHOSEN = "reference is ";

/** Four agents that have joined, and what the coordinator says as they report or leave. */
class Meeting {
  readonly #core = new DomainCore({
    domain: "default",
    term: 1n,
    pairsPerSecond: 50,
    meshSeed: 1,
  });
  #nowMs = 0;

  constructor() {
    for (let i = 1; i <= 4; i++) {
      const value = { hostId: `h${i}`, bootId: "b", clockQuality: 1 };
      this.#hear(i, { case: "hello", value });
    }
    this.#nowMs = 2_000;
  }

  /** True when the round is solved by it: the first one chooses the reference. */
  report(host: number): boolean {
    const source = { rawNs: 5n, systemUnixNs: 1_795_305_600_000_000_000n, synchronised: true };
    return this.#hear(host, { case: "report", value: { source, state: HostState.ACQUIRING } });
  }

  leave(host: number): boolean {
    return isSolved(this.#core.handleClose(host, this.#now()));
  }

  #hear(host: number, body: Parameters<typeof bodyOf>[0]): boolean {
    return isSolved(this.#core.handleMessage(host, bodyOf(body), this.#now()));
  }

  #now() {
    return { monotonicMs: this.#nowMs++, unixNs: 1_795_305_600_000_000_000n };
  }
}

const bodyOf = (
  body: NonNullable<Parameters<typeof create<typeof AgentMessageSchema>>[1]>["body"],
) => create(AgentMessageSchema, { header: { domain: "default" }, body: body! }) as AgentMessage;

const isSolved = (actions: ReturnType<DomainCore["handleClose"]>): boolean =>
  actions.some((action) => action.kind === "log" && action.text.includes(CHOSEN));

test("the report of a host that has left does not stand for one that is still to come", () => {
  const meeting = new Meeting();
  expect(meeting.report(1)).toBe(false);
  expect(meeting.report(3)).toBe(false);
  expect(meeting.leave(3)).toBe(false);
  expect(meeting.report(2)).toBe(false);
  expect(meeting.report(4)).toBe(true);
});

test("a round waits no longer when the one it waited for has left", () => {
  const meeting = new Meeting();
  for (const host of [1, 2, 3]) expect(meeting.report(host)).toBe(false);
  expect(meeting.leave(4)).toBe(true);
});
