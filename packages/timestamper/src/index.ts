export { readKernelClocks } from "./kernel/read-clocks.ts";
export { openTimestamper } from "./timestamper.ts";
export type {
  ClockReading,
  ClockStatus,
  LabOptions,
  LinkConditions,
  ProbeCounters,
  ProbeIdentity,
  ProbeSocket,
  ProbeTarget,
  StampColumns,
  SystemClock,
  Timestamper,
  TimestamperBatch,
  TimestamperOptions,
  TripleColumns,
} from "./types.ts";
export { edgeDelayNs } from "./virtual/links.ts";
export { type VirtualTruth, virtualTruth } from "./virtual/truth.ts";
