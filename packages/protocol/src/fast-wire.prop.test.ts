import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CorrectionWriter } from "./correction-wire.ts";
import {
  type AgentMessage,
  AgentMessageSchema,
  CoordinatorMessageSchema,
  CorrectionSchema,
  DomainSegmentSchema,
  EdgeFitSchema,
  EdgeVerdictSchema,
  ReportSchema,
  SourceLineSchema,
} from "./gen/clocksync/coordinator_pb.js";
import { readReport } from "./report-wire.ts";

const SEED = 20_251;
type Descriptor = { readonly fields: readonly { localName: string; scalar?: unknown }[] };

const double = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e-9, Number.NaN));
const fixed = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const counter = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const text = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constant("x".repeat(200)));
const ascii = fc.string({ unit: "grapheme-ascii" });
const uint32 = fc.nat(0xffff_ffff);

/** Values for each field of a message, by its name; fields that are missing here fail the test. */
function anyOf(schema: Descriptor, own: Record<string, fc.Arbitrary<unknown>>) {
  const named: Record<string, fc.Arbitrary<unknown>> = {};
  for (const { localName } of schema.fields) {
    named[localName] = own[localName] ?? byName(localName);
  }
  return fc.record(named);
}

function byName(name: string): fc.Arbitrary<unknown> {
  if (/(RawNs|UnixNs)$|^rawNs$/.test(name)) return fixed;
  if (/^(owner|other|hostNumber|edgeCount)$/.test(name)) return uint32;
  if (/^(audit|trusted|is[A-Z].*|.*Has[A-Z].*|farPull|synchronised|steered)$/.test(name))
    return fc.boolean();
  if (name === "distrust") return ascii;
  if (/(reason|expelled|HostId)$/.test(name)) return text;
  return double;
}

const header = fc.record({ domain: text, term: counter, round: counter });
const nearHeader = fc.record({
  domain: ascii,
  term: fc.bigInt({ min: 0n, max: 1n << 50n }),
  round: fc.bigInt({ min: 0n, max: 1n << 50n }),
});
const segment = anyOf(DomainSegmentSchema, {});
const correction = anyOf(CorrectionSchema, {
  segments: fc.array(segment, { maxLength: 5 }),
  edges: fc.array(anyOf(EdgeVerdictSchema, {}), { maxLength: 12 }),
  alarms: fc.array(text, { maxLength: 3 }),
});
const report = anyOf(ReportSchema, {
  fits: fc.array(anyOf(EdgeFitSchema, {}), { maxLength: 12 }),
  source: fc.option(anyOf(SourceLineSchema, {}), { nil: undefined }),
  line: fc.option(segment, { nil: undefined }),
  state: fc.nat(9),
  reason: fc.oneof(ascii, text),
});

const options = { seed: SEED, numRuns: 500 };

test("a correction has the bytes that the general encoder gives it, whatever its fields hold", () => {
  const writer = new CorrectionWriter();
  fc.assert(
    fc.property(fc.option(header, { nil: undefined }), correction, (head, value) => {
      const body = { case: "correction" as const, value };
      const message = create(CoordinatorMessageSchema, { ...(head && { header: head }), body });
      expect(writer.write(message)).toEqual(toBinary(CoordinatorMessageSchema, message));
    }),
    options,
  );
});

const bytesOf = (head: object, value: object): Uint8Array =>
  toBinary(
    AgentMessageSchema,
    create(AgentMessageSchema, { header: head, body: { case: "report", value } }),
  );

test("a report reads as the general decoder reads it", () => {
  let short = 0;
  fc.assert(
    fc.property(fc.oneof(header, nearHeader), report, (head, value) => {
      const bytes = bytesOf(head, value);
      const read = readReport(bytes);
      if (!read) return;
      short++;
      expect(read).toEqual(fromBinary(AgentMessageSchema, bytes));
    }),
    options,
  );
  // Strings beyond ASCII and very large counters are left to the general decoder; most are not.
  expect(short).toBeGreaterThan(20);
});

const usual = { domain: "default", term: 3n, round: 3_590_000_000n };
const fit = { owner: 2, other: 300, ownerBaseRawNs: -5n, midNs: 1e9, offsetNs: -3.5, keptShare: 1 };
const line = { rawNs: 5n, freqPpb: 1 };

test("what agents say every round goes the short way", () => {
  const value = { fits: [fit, fit], source: { synchronised: true }, state: 2, reason: "why", line };
  const bytes = bytesOf(usual, value);
  expect(readReport(bytes)).toEqual(fromBinary(AgentMessageSchema, bytes));
});

test("bytes that were damaged are never read as something else", () => {
  const whole = bytesOf(usual, { fits: [fit, fit, fit], state: 2, reason: "why", line });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
      const bytes = whole.slice(0, length);
      if (at < length) bytes[at] = byte;
      const read = readReport(bytes);
      if (read) expect(read).toEqual(fromBinary(AgentMessageSchema, bytes));
    }),
    { seed: SEED, numRuns: 5_000 },
  );
});

test("a state of 32 bits is left to the general decoder, for which it is below 0", () => {
  const state = (...value: number[]) =>
    Uint8Array.of(0x0a, 0, 0x1a, 1 + value.length, 0x18, ...value);
  expect(readReport(state(0xff, 0xff, 0xff, 0xff, 0x0f))).toBeUndefined();
  const largest = state(0xff, 0xff, 0xff, 0xff, 0x07);
  expect(readReport(largest)).toEqual(fromBinary(AgentMessageSchema, largest));
});

test("a field that this version does not know leaves the message to the general decoder", () => {
  const message: AgentMessage = fromBinary(
    AgentMessageSchema,
    bytesOf(usual, { fits: [fit], state: 2 }),
  );
  if (message.body.case !== "report") throw new Error("no report");
  message.body.value.$unknown = [{ no: 99, wireType: 0, data: Uint8Array.of(1) }];
  expect(readReport(toBinary(AgentMessageSchema, message))).toBeUndefined();
});

test("messages that are no reports, or no corrections, are left to the general codec", () => {
  const hello = create(AgentMessageSchema, { header: usual, body: { case: "hello", value: {} } });
  expect(readReport(toBinary(AgentMessageSchema, hello))).toBeUndefined();
  const hold = create(CoordinatorMessageSchema, { body: { case: "hold", value: { reason: "x" } } });
  expect(new CorrectionWriter().write(hold)).toBeUndefined();
});
