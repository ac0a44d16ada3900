/**
 * Reads a probe by docs/protocol.md alone: it shares no code with the product, so that page and
 * product are held together by a test.
 */

export interface DecodedProbe {
  messageType: number;
  versionPtp: number;
  messageLength: number;
  domainNumber: number;
  correctionNs: number;
  sequenceId: number;
  tlvType: number;
  tlvLength: number;
  fromHost: number;
  toHost: number;
  probe: bigint;
  keyNumber: number;
  flags: number;
  mac: string /* hex */;
}

const PROBE_BYTES = 90;
const MAX_PROBE = 2n ** 53n - 1n;
const CORRECTION_OVERFLOWED = 0x7fffffffffffffffn;

function mustBe(field: string, actual: number, expected: number): void {
  if (actual !== expected) {
    throw new Error(
      `${field} must be ${expected} (0x${expected.toString(16)}), ` +
        `is ${actual} (0x${actual.toString(16)})`,
    );
  }
}

export function decodeProbeFromDocs(datagram: Uint8Array): DecodedProbe {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const uint24 = (offset: number): number =>
    view.getUint16(offset) * 256 + view.getUint8(offset + 2);

  mustBe("length of the datagram", view.byteLength, PROBE_BYTES);
  mustBe("majorSdoId and messageType", view.getUint8(0), 0x01);
  mustBe("versionPTP", view.getUint8(1) & 0x0f, 2);
  mustBe("messageLength", view.getUint16(2), PROBE_BYTES);
  mustBe("minorSdoId", view.getUint8(5), 0x54);
  mustBe("tlvType", view.getUint16(44), 0x0003);
  mustBe("lengthField", view.getUint16(46), 42);
  mustBe("organizationId", uint24(48), 0x025454);
  mustBe("organizationSubType", uint24(51), 0x435301);
  mustBe("version", view.getUint8(54), 1);
  const probe = view.getBigUint64(66);
  if (probe > MAX_PROBE) {
    throw new Error(`probe must be at most ${MAX_PROBE}, is ${probe}`);
  }

  const correction = view.getBigInt64(8);
  let mac = "";
  for (let offset = 74; offset < PROBE_BYTES; offset++) {
    mac += view.getUint8(offset).toString(16).padStart(2, "0");
  }

  return {
    messageType: view.getUint8(0) & 0x0f,
    versionPtp: view.getUint8(1) & 0x0f,
    messageLength: view.getUint16(2),
    domainNumber: view.getUint8(4),
    correctionNs: correction === CORRECTION_OVERFLOWED ? Number.NaN : Number(correction) / 65536,
    sequenceId: view.getUint16(30),
    tlvType: view.getUint16(44),
    tlvLength: view.getUint16(46),
    fromHost: view.getUint32(58),
    toHost: view.getUint32(62),
    probe,
    keyNumber: view.getUint16(56),
    flags: view.getUint8(55),
    mac,
  };
}
