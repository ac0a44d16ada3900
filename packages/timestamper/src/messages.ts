/**
 * What main thread and worker say to each other. Plain data; faults keep their code and fields.
 */
import type { EdgeKeys } from "@ttcs/protocol";
import { type ErrorCode, TtcsError } from "@ttcs/units";
import type { PackedColumns } from "./columns.ts";
import type { ClockStatus, ProbeCounters, ProbeIdentity, ProbeTarget } from "./types.ts";

/** What the worker is asked for. Each request is answered once. */
export type Request =
  | { readonly kind: "setIdentity"; readonly identity: ProbeIdentity }
  | { readonly kind: "setKeys"; readonly keys: readonly EdgeKeys[] }
  | {
      readonly kind: "setTargets";
      readonly targets: readonly ProbeTarget[];
      readonly pairsPerSecond: number;
    }
  | { readonly kind: "read" }
  | { readonly kind: "adjustFrequency"; readonly freqPpb: number }
  | { readonly kind: "step"; readonly stepNs: number }
  | {
      readonly kind: "setErrors";
      readonly maxErrorNs: number;
      readonly estErrorNs: number;
      readonly synchronised: boolean;
    }
  | { readonly kind: "close" };

/** A request with the number that its answer bears. */
export interface NumberedRequest {
  readonly id: number;
  readonly request: Request;
}

/** An error as it crosses the threads: structured cloning would drop its code and fields. */
export interface PlainError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: ErrorCode;
  readonly fields?: Readonly<Record<string, string | number>>;
}

/** A batch as it crosses the threads. */
export interface PackedBatch {
  readonly columns: PackedColumns;
  readonly rawNs: bigint;
  readonly status: ClockStatus;
  readonly counters: ProbeCounters;
  /** Processor time of the worker's thread since it began (s). */
  readonly cpuS: number;
}

/** What the worker says. */
export type Notice =
  | { readonly kind: "opened"; readonly probePort: number; readonly startRawNs: bigint }
  | { readonly kind: "batch"; readonly batch: PackedBatch }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refused"; readonly id: number; readonly error: PlainError }
  | { readonly kind: "fatal"; readonly error: PlainError };

/** An error as plain data. */
export function toPlain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined };
  const { message, stack } = error;
  if (!(error instanceof TtcsError)) return { message, stack };
  return { message, stack, code: error.code, fields: error.fields };
}

/** The error that `toPlain` was given, with the worker's stack. */
export function fromPlain(plain: PlainError): Error {
  const error =
    plain.code === undefined
      ? new Error(plain.message)
      : new TtcsError(plain.code, plain.fields ?? {});
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}
