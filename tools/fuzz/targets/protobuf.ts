/**
 * Bytes of every message: the general decoder, and those written by hand, which must say the same.
 *
 * The first byte of an input says which message the others are to be.
 */
import { type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AgentMessageSchema,
  CoordinatorMessageSchema,
  CorrectionWriter,
  readReport,
  type StampColumn,
  StampColumnSchema,
  unpackStamps,
} from "@ttcs/protocol";
import type { Prng } from "@ttcs/units";
import { changeMessage } from "../message.ts";
import { ByteMutator } from "../mutate.ts";
import { below, chance, type FuzzTarget, must, pick } from "../target.ts";
import { changeWire } from "../wire.ts";
import { ALL_MESSAGES, recordSamples } from "./samples.ts";

/** As many as an agent takes of one flush. */
const COLUMN_LIMIT = 8_192;
/** Longer than any message of a fleet; what is allowed up to 1 MB takes its time for its length (bytes). */
const INPUT_BYTES_MAX = 1 << 16;
/** Of a hundred messages, so many are made of reports: they have a reader of their own. */
const REPORTS_PERCENT = 25;
/** Most changes of a message. */
const CHANGES_MAX = 3;

export function protobufTarget(): FuzzTarget {
  const mutator = new ByteMutator();
  const input = new Uint8Array(INPUT_BYTES_MAX);
  const probe = new Float64Array(COLUMN_LIMIT);
  const ns = new Float64Array(COLUMN_LIMIT);
  const writer = new CorrectionWriter();
  const typed = (desc: DescMessage, bytes: Uint8Array) => {
    input[0] = ALL_MESSAGES.findIndex(({ typeName }) => typeName === desc.typeName);
    const body = bytes.subarray(0, input.length - 1);
    input.set(body, 1);
    return input.subarray(0, 1 + body.length);
  };
  const seeds = recordSamples().map(({ desc, bytes }) => typed(desc, bytes).slice());
  const reports = seeds.filter((seed) => readReport(seed.subarray(1)));
  return {
    cases: 1_000_000,
    limitMs: 50,
    seeds,
    mutate(random, pool) {
      const from = pick(random, chance(random, REPORTS_PERCENT) ? reports : pool);
      const desc = ALL_MESSAGES[from[0] % ALL_MESSAGES.length];
      let bytes = from.subarray(1);
      const way = below(random, 10);
      if (way < 5) bytes = otherWords(desc, bytes, random);
      if (way === 4 || way === 5 || way === 6) bytes = changeWire(random, bytes);
      if (way > 6 || chance(random, 10)) bytes = mutator.change(random, bytes, pool);
      return typed(desc, bytes);
    },
    run(bytes) {
      if (bytes.length === 0) return false;
      const desc = ALL_MESSAGES[bytes[0] % ALL_MESSAGES.length];
      const body = bytes.subarray(1);
      const message = decoded(desc, body);
      if (desc.typeName === AgentMessageSchema.typeName) checkReport(body, message);
      if (!message) return false;
      toBinary(desc, message);
      if (desc.typeName === CoordinatorMessageSchema.typeName) checkCorrection(body, writer);
      if (desc.typeName === StampColumnSchema.typeName) {
        checkColumn(message as StampColumn, probe, ns);
      }
      return true;
    },
  };
}

/** Undefined where the decoder refuses. Running out of stack or memory is no refusal. */
function decoded(desc: DescMessage, bytes: Uint8Array) {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    must(
      !/call stack|allocation|array length/i.test(String(error)),
      `refused by exhaustion: ${error}`,
    );
    return undefined;
  }
}

function otherWords(desc: DescMessage, bytes: Uint8Array, random: Prng): Uint8Array {
  const message = decoded(desc, bytes);
  if (!message) return bytes;
  const changes = 1 + below(random, CHANGES_MAX);
  for (let i = 0; i < changes; i++) changeMessage(desc, message, random);
  return toBinary(desc, message);
}

/** What the reader by hand accepts, the general one accepts too, and it is the same message. */
function checkReport(bytes: Uint8Array, general: ReturnType<typeof decoded>): void {
  const quick = readReport(bytes);
  if (!quick) return;
  must(general !== undefined, "a report that the general decoder refuses");
  const one = toBinary(AgentMessageSchema, quick);
  must(
    isSame(one, toBinary(AgentMessageSchema, general as typeof quick)),
    "another report than the general decoder's",
  );
}

/** Both encoders make the same bytes of a message that has nothing in it but what the schema knows. */
function checkCorrection(bytes: Uint8Array, writer: CorrectionWriter): void {
  const message = fromBinary(CoordinatorMessageSchema, bytes, { readUnknownFields: false });
  const written = writer.write(message);
  const general = toBinary(CoordinatorMessageSchema, message);
  if (written) must(isSame(written, general), "the two encoders of corrections differ");
}

function checkColumn(column: StampColumn, probe: Float64Array, ns: Float64Array): void {
  const count = unpackStamps(column, probe, ns);
  must(count >= -1 && count <= probe.length, "a count out of range");
  for (let i = 0; i < count; i++) {
    must(Number.isSafeInteger(probe[i]) && probe[i] >= 0, "a probe number out of range");
    must(i === 0 || probe[i] > probe[i - 1], "probe numbers that do not ascend");
    must(Math.abs(ns[i]) <= 2 ** 31, "a stamp out of range");
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
