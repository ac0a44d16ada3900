/**
 * From a generated service to a gRPC service definition.
 *
 * Problem: the generated code describes services without binding them to a gRPC library, and this
 * room may not import one.
 *
 * Approach: build the plain object that `server.addService` and `makeGenericClientConstructor` of
 * grpc-js take: path, stream flags, and the four functions between message and bytes. The caller
 * brings the function that turns bytes into what its library sends (a Buffer in Node), and may count
 * what cannot be read.
 *
 * Assumptions: the library turns an error thrown by a deserialiser into a status of that call
 * (INTERNAL in grpc-js) instead of letting it end the process, and limits the size of messages.
 */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";

/** One method: how its messages travel. Fits the `MethodDefinition` of grpc-js. */
export interface GrpcMethod<Request, Response, Bytes extends Uint8Array> {
  /** "/package.Service/Method". */
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  requestSerialize: (message: Request) => Bytes;
  /** Throws on bytes that are no such message. */
  requestDeserialize: (bytes: Uint8Array) => Request;
  responseSerialize: (message: Response) => Bytes;
  /** Throws on bytes that are no such message. */
  responseDeserialize: (bytes: Uint8Array) => Response;
  /** The method's name as the schema spells it, under which a server may implement it as well. */
  originalName: string;
}

/** A method for each of the service, under its name in lower camel case ("exchange"). */
export type GrpcServiceDefinition<
  Methods extends GenServiceMethods,
  Bytes extends Uint8Array = Uint8Array,
> = {
  [K in keyof Methods]: GrpcMethod<
    MessageShape<Methods[K]["input"]>,
    MessageShape<Methods[K]["output"]>,
    Bytes
  >;
};

/** What the definition tells the caller of its work. */
export interface CodecWatch {
  /** Bytes came that are no such message; the call fails. */
  undecodable?(): void;
  /** Packing or unpacking begins and ends, for whoever puts a cost on it. */
  begin?(): void;
  end?(): void;
}

/**
 * The definition of `service` for grpc-js. `toBuffer` makes the bytes of a message what the library
 * sends, preferably without a copy: `(b) => Buffer.from(b.buffer, b.byteOffset, b.byteLength)`.
 */
export function grpcServiceDefinition<Methods extends GenServiceMethods, Bytes extends Uint8Array>(
  service: GenService<Methods>,
  toBuffer: (bytes: Uint8Array) => Bytes,
  watch: CodecWatch = {},
): GrpcServiceDefinition<Methods, Bytes> {
  const definition: Record<string, GrpcMethod<unknown, unknown, Bytes>> = {};
  for (const method of service.methods) {
    const { methodKind, input, output } = method;
    definition[method.localName] = {
      path: `/${service.typeName}/${method.name}`,
      requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
      responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
      requestSerialize: serializer(input, toBuffer, watch),
      requestDeserialize: deserializer(input, watch),
      responseSerialize: serializer(output, toBuffer, watch),
      responseDeserialize: deserializer(output, watch),
      originalName: method.name,
    };
  }
  // The loop runs over the very methods that the type enumerates.
  return definition as GrpcServiceDefinition<Methods, Bytes>;
}

function serializer<Bytes extends Uint8Array>(
  schema: DescMessage,
  toBuffer: (bytes: Uint8Array) => Bytes,
  watch: CodecWatch,
): (message: unknown) => Bytes {
  return (message) => {
    watch.begin?.();
    try {
      return toBuffer(toBinary(schema, message as MessageShape<DescMessage>));
    } finally {
      watch.end?.();
    }
  };
}

function deserializer(schema: DescMessage, watch: CodecWatch): (bytes: Uint8Array) => unknown {
  return (bytes) => {
    watch.begin?.();
    try {
      return fromBinary(schema, bytes);
    } catch (error) {
      watch.undecodable?.();
      throw error;
    } finally {
      watch.end?.();
    }
  };
}

/** "host:port" as gRPC and people write it, with brackets around an IPv6 address. */
export const hostPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
