/** Binds the generated services to grpc-js. */
import { createSecureContext, type SecureContext } from "node:tls";
import { type ChannelCredentials, credentials, logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import {
  type CodecWatch,
  CoordinatorService,
  EnrolmentService,
  grpcServiceDefinition,
  PeerService,
} from "@ttcs/protocol";
import type { Meter } from "../core/meter.ts";
import type { TlsIdentity } from "./tls-entry.ts";

// What fails is told once, in our own words; the library's lines on standard error would repeat it.
setLogVerbosity(logVerbosity.NONE);

const toBuffer = (b: Uint8Array): Buffer => Buffer.from(b.buffer, b.byteOffset, b.byteLength);

/** The coordinator's service as an agent calls it. */
export const coordinatorService = (watch: CodecWatch) =>
  grpcServiceDefinition(CoordinatorService, toBuffer, watch);

/** The service for hosts that have no certificate yet. */
export const enrolmentService = grpcServiceDefinition(EnrolmentService, toBuffer);

/** The neighbours' service, for both ends. */
export const peerService = (watch: CodecWatch) =>
  grpcServiceDefinition(PeerService, toBuffer, watch);

/**
 * How a channel shows who we are and believes who the others are; without a key we show nothing.
 *
 * @param isRightOne more to ask of the certificate at the other end, instead of its name
 */
export function channelCredentials(
  identity: Pick<TlsIdentity, "authority"> & Partial<TlsIdentity>,
  isRightOne?: (certificate: Buffer) => boolean,
): ChannelCredentials {
  const wrong = new Error("the certificate is another one than the coordinator has named");
  const options = isRightOne && {
    checkServerIdentity: (_name: string, { raw }: { raw: Buffer }) =>
      isRightOne(raw) ? undefined : wrong,
  };
  return credentials.createFromSecureContext(contextOf(identity), options);
}

/** Reading keys and certificates takes a millisecond, and a host dials often. */
const contexts = new WeakMap<object, SecureContext>();

function contextOf(identity: Pick<TlsIdentity, "authority"> & Partial<TlsIdentity>): SecureContext {
  const { authority, privateKey, certificateChain } = identity;
  let context = contexts.get(identity);
  if (!context) {
    const own = privateKey === undefined ? {} : { key: privateKey, cert: certificateChain };
    context = createSecureContext({ ca: authority, minVersion: "TLSv1.3", ...own });
    contexts.set(identity, context);
  }
  return context;
}

/** Puts the cost of packing and unpacking messages on the exchange. */
export function exchangeWatch(meter: Meter, undecodable: () => void): Required<CodecWatch> {
  return { begin: () => meter.begin("exchange"), end: () => meter.end(), undecodable };
}

/** Settings of every channel: small messages, a dead peer noticed within seconds, nothing extra. */
const common = {
  "grpc.max_receive_message_length": 1 << 20,
  "grpc.keepalive_time_ms": 5_000,
  "grpc.keepalive_timeout_ms": 3_000,
  // Bookkeeping for debugging tools that nobody asks.
  "grpc.enable_channelz": 0,
};

/** Settings of a channel to somebody else. */
export const channelOptions = {
  ...common,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.initial_reconnect_backoff_ms": 250,
  "grpc.max_reconnect_backoff_ms": 1_000,
  // A channel is one connection, also where a process has several to the same server; each call that
  // is made anew tries anew.
  "grpc.use_local_subchannel_pool": 1,
  // Streams are opened again by our own hand, and no proxy stands between hosts that measure.
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
};

/** Settings of a server: one stream for each caller is what is needed. */
export const serverOptions = {
  ...common,
  "grpc.max_concurrent_streams": 4,
  // In MB, of one connection.
  "grpc-node.max_session_memory": 4,
};
