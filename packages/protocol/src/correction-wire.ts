/**
 * Bytes of a correction: the message that every agent gets every half second.
 *
 * The same bytes as the general encoder's, field by field in the order of their numbers. A field that
 * the schema gains has to be added here as well; a test compares the two encoders over all fields.
 */
import type {
  CoordinatorMessage,
  Correction,
  DomainSegment,
  EdgeVerdict,
} from "./gen/clocksync/coordinator_pb.js";
import { WireWriter } from "./wire-writer.ts";

/** Where the parts stand in the messages around a correction (coordinator.proto). */
const HEADER = 1;
const CORRECTION = 4;

/** See the module head. One for a server: it writes into the same buffer again and again. */
export class CorrectionWriter {
  readonly #writer = new WireWriter();

  /** The bytes of a message, good until the next call; undefined: it is no correction. */
  write({ header, body, $unknown }: CoordinatorMessage): Uint8Array | undefined {
    if (body.case !== "correction" || $unknown) return undefined;
    const writer = this.#writer;
    writer.reset();
    if (header) {
      const start = writer.begin(HEADER);
      writer.string(1, header.domain);
      writer.uint64(2, header.term);
      writer.uint64(3, header.round);
      writer.end(start);
    }
    const start = writer.begin(CORRECTION);
    writeCorrection(writer, body.value);
    writer.end(start);
    return writer.written;
  }
}

function writeCorrection(writer: WireWriter, c: Correction): void {
  for (const segment of c.segments) writeSegment(writer, 1, segment);
  writer.sfixed64(2, c.solvedRawNs);
  writer.double(3, c.offsetSigmaNs);
  writer.double(4, c.freqSigmaPpb);
  writer.double(5, c.boundNs);
  writer.double(6, c.validForNs);
  writer.bool(7, c.trusted);
  writer.string(8, c.reason);
  writer.string(9, c.referenceHostId);
  writer.bool(10, c.isReference);
  writer.double(11, c.referencePullNs);
  writer.double(12, c.referenceMaxErrorNs);
  writer.bool(13, c.referenceHasSource);
  writer.uint32(15, c.edgeCount);
  writer.double(16, c.residualRmsNs);
  writer.sfixed64(17, c.windowCloseRawNs);
  for (const edge of c.edges) writeVerdict(writer, 18, edge);
  writer.bool(19, c.farPull);
  writer.double(20, c.heirBoundNs);
  writer.double(21, c.freqRateSigmaPpbPerS);
  writer.string(22, c.localReferenceHostId);
  writer.double(23, c.localSigmaNs);
  writer.double(24, c.localBoundNs);
  for (const alarm of c.alarms) writer.element(25, alarm);
  writer.double(26, c.excessPpb);
}

function writeSegment(writer: WireWriter, field: number, s: DomainSegment): void {
  const start = writer.begin(field);
  writer.sfixed64(1, s.rawNs);
  writer.sfixed64(2, s.domainUnixNs);
  writer.double(3, s.domainFractionNs);
  writer.double(4, s.freqPpb);
  writer.end(start);
}

function writeVerdict(writer: WireWriter, field: number, e: EdgeVerdict): void {
  const start = writer.begin(field);
  writer.uint32(1, e.hostNumber);
  writer.double(2, e.residualNs);
  writer.double(3, e.sigmaNs);
  writer.double(4, e.weight);
  writer.string(5, e.expelled);
  writer.end(start);
}
