export { readKernelClocks } from "./kernel/read-clocks.ts";
export { type MeteredTimestamper, openTimestamper } from "./timestamper.ts";
export type {
  ClockReading,
  ClockStatus,
  DaemonSlew,
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
export { appendForeign, type ForeignWrite, foreignPath } from "./virtual/foreign.ts";
export { edgeDelayNs } from "./virtual/links.ts";
export { type VirtualTruth, virtualTruth } from "./virtual/truth.ts";
