/**
 * The coordinator's service as gRPC wants it, with short ways for the two messages that are many.
 *
 * Reports and corrections are read and written by hand (`@ttcs/protocol`); all others, and whatever is
 * unusual, go through the general codec.
 */
import {
  type CodecWatch,
  CoordinatorService,
  CorrectionWriter,
  grpcServiceDefinition,
  readReport,
} from "@ttcs/protocol";

const toBuffer = (b: Uint8Array): Buffer => Buffer.from(b.buffer, b.byteOffset, b.byteLength);

/** See the module head. */
export function coordinatorService(watch: CodecWatch) {
  const { subscribe } = grpcServiceDefinition(CoordinatorService, toBuffer, watch);
  const corrections = new CorrectionWriter();
  const requestDeserialize: typeof subscribe.requestDeserialize = (bytes) =>
    readReport(bytes) ?? subscribe.requestDeserialize(bytes);
  // grpc-js copies what it gets behind a message's length at once: the buffer may be used again.
  const responseSerialize: typeof subscribe.responseSerialize = (message) => {
    const bytes = corrections.write(message);
    return bytes ? toBuffer(bytes) : subscribe.responseSerialize(message);
  };
  return { subscribe: { ...subscribe, requestDeserialize, responseSerialize } };
}
