/** The desk (`identity/desk.ts`) as gRPC wants it. */
import { create } from "@bufbuild/protobuf";
import { type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import {
  type EnrolmentReply,
  EnrolmentReplySchema,
  type EnrolmentRequest,
  EnrolmentService,
  grpcServiceDefinition,
} from "@ttcs/protocol";
import type { DeskAnswer, EnrolmentDesk, RefusalKind } from "./identity/desk.ts";

const toBuffer = (b: Uint8Array): Buffer => Buffer.from(b.buffer, b.byteOffset, b.byteLength);

/** The service's definition. */
export const enrolmentService = grpcServiceDefinition(EnrolmentService, toBuffer);

/** The only call that whoever has no certificate may make. */
export const ENROLMENT_PATH = enrolmentService.enrol.path;

const codes: Readonly<Record<RefusalKind, status>> = {
  "bad-request": status.INVALID_ARGUMENT,
  "bad-token": status.PERMISSION_DENIED,
  taken: status.ALREADY_EXISTS,
  full: status.RESOURCE_EXHAUSTED,
  busy: status.UNAVAILABLE,
  unavailable: status.UNAVAILABLE,
};

type Call = ServerUnaryCall<EnrolmentRequest, EnrolmentReply>;

/** What a handler tells. */
export interface EnrolmentWatch {
  /** The peer has a valid token. */
  known(peer: string): void;
  answered(peer: string, request: EnrolmentRequest, answer: DeskAnswer): void;
}

/** The handler of the service's only method. */
export function enrolmentHandler(desk: EnrolmentDesk, watch: EnrolmentWatch) {
  return (call: Call, reply: sendUnaryData<EnrolmentReply>): void => {
    const peer = call.getPeer();
    desk
      .enrol(call.request, () => watch.known(peer))
      .then(
        (answer) => {
          watch.answered(peer, call.request, answer);
          if (answer.ok)
            reply(null, create(EnrolmentReplySchema, { certificate: answer.certificate }));
          else reply({ code: codes[answer.kind], details: answer.reason });
        },
        () => reply({ code: status.INTERNAL, details: "the request could not be dealt with" }),
      );
  };
}
