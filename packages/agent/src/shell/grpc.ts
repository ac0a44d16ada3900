/** Binds the generated services to grpc-js. */
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { CoordinatorService, grpcServiceDefinition, PeerService } from "@ttcs/protocol";

// What fails is told once, in our own words; the library's lines on standard error would repeat it.
setLogVerbosity(logVerbosity.NONE);

const toBuffer = (b: Uint8Array): Buffer => Buffer.from(b.buffer, b.byteOffset, b.byteLength);

export const coordinatorService = grpcServiceDefinition(CoordinatorService, toBuffer);
export const peerService = grpcServiceDefinition(PeerService, toBuffer);

/** Settings of every channel: small messages, and a dead peer noticed within seconds. */
export const channelOptions = {
  "grpc.max_receive_message_length": 1 << 20,
  "grpc.keepalive_time_ms": 5_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.keepalive_permit_without_calls": 1,
};
