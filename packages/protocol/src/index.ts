export { type AgentConfigResult, formatAgentConfig, parseAgentConfig } from "./config.ts";
export { CorrectionWriter } from "./correction-wire.ts";
export {
  type Header,
  HeaderSchema,
  HostState,
  HostStateSchema,
} from "./gen/clocksync/common_pb.js";
export {
  type AgentConfig,
  AgentConfigSchema,
  type LabClock,
  LabClockSchema,
  type LabLink,
  LabLinkSchema,
} from "./gen/clocksync/config_pb.js";
export {
  type AgentMessage,
  AgentMessageSchema,
  type Assignment,
  AssignmentSchema,
  type CoordinatorMessage,
  CoordinatorMessageSchema,
  CoordinatorService,
  type Correction,
  CorrectionSchema,
  type DomainSegment,
  DomainSegmentSchema,
  type EdgeFit,
  EdgeFitSchema,
  type EdgeVerdict,
  type Hello,
  HelloSchema,
  type Neighbour,
  NeighbourSchema,
  type ProbeKey,
  ProbeKeySchema,
  type Refusal,
  RefusalSchema,
  type Report,
  ReportSchema,
  type SourceLine,
  SourceLineSchema,
  type Waiting,
  WaitingSchema,
  type Welcome,
  WelcomeSchema,
} from "./gen/clocksync/coordinator_pb.js";
export {
  type EnrolmentReply,
  EnrolmentReplySchema,
  type EnrolmentRequest,
  EnrolmentRequestSchema,
  EnrolmentService,
} from "./gen/clocksync/enrolment_pb.js";
export {
  type ExchangeFlush,
  ExchangeFlushSchema,
  type HeldLine,
  HeldLineSchema,
  PeerService,
  type StampColumn,
  StampColumnSchema,
} from "./gen/clocksync/peer_pb.js";
export { COORDINATOR_NAME, HOST_NAME, hostName } from "./identity.ts";
export {
  copyCovered,
  createProbeFields,
  decodeProbe,
  encodeProbe,
  PROBE_BYTES,
  PROBE_COVERED_BYTES,
  PROBE_DOMAIN_NUMBER,
  PROBE_MAC_AT,
  PROBE_MAC_BYTES,
  PROBE_MINOR_SDO_ID,
  PROBE_NUMBER_MAX,
  type ProbeFields,
  readCorrectionNs,
} from "./probe.ts";
export {
  type EdgeKeys,
  isSameKey,
  ProbeGate,
  type ProbeKeyBytes,
  type ProbeMac,
  type ProbeRefusal,
  sealProbe,
} from "./probe-gate.ts";
export { ReplayWindow } from "./replay-window.ts";
export { readReport } from "./report-wire.ts";
export {
  type CodecWatch,
  type GrpcMethod,
  type GrpcServiceDefinition,
  grpcServiceDefinition,
  hostPort,
} from "./rpc.ts";
export { packStamps, unpackStamps } from "./stamps.ts";
