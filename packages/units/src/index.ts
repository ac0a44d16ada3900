export { assert } from "./assert.ts";
export { type ErrorCode, errorTable, TtcsError } from "./errors.ts";
export {
  addNs,
  diffNs,
  type RawNanos,
  ROUND_NS,
  rawNanos,
  relativeTo,
  SECOND_NS,
  type UnixNanos,
  unixNanos,
  WINDOW_NS,
  WINDOW_SPAN_NS_MIN,
} from "./nanos.ts";
export { hashText, mix32, Prng, unitOf } from "./prng.ts";
export { SOFTWARE_VERSION } from "./version.ts";
