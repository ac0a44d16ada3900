export { assert } from "./assert.ts";
export { isSameBytes } from "./bytes.ts";
export { type ErrorCode, errorTable, TtcsError } from "./errors.ts";
export {
  type ArmedFailpoint,
  armFailpoints,
  type FailpointDeed,
  type FailpointHands,
  type FailpointName,
  failpoint,
  failpointDeeds,
  failpointTable,
  parseFailpoints,
} from "./failpoints.ts";
export {
  addNs,
  diffNs,
  FIT_AGE_NS,
  type RawNanos,
  ROUND_NS,
  rawNanos,
  relativeTo,
  SECOND_NS,
  type UnixNanos,
  unixNanos,
  WINDOW_NS,
  WINDOW_SPAN_NS_MIN,
  windowNsAt,
} from "./nanos.ts";
export { hashText, mix32, Prng, unitOf } from "./prng.ts";
export { SOFTWARE_VERSION } from "./version.ts";
