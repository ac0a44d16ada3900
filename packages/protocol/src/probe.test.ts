import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  createProbeFields,
  decodeProbe,
  encodeProbe,
  PROBE_BYTES,
  PROBE_COVERED_BYTES,
  PROBE_NUMBER_MAX,
  type ProbeFields,
  readCorrectionNs,
} from "./probe.ts";
import { sealProbe } from "./probe-gate.ts";

const fields: ProbeFields = {
  domainNumber: 117,
  fromHost: 0x01020304,
  toHost: 0xfffefdfc,
  probe: 0x1f_ffff_8000_1235,
  keyNumber: 0xbeef,
  flags: 0xa5,
};

/** Written by hand from the layout in docs/protocol.md. */
const golden = [
  // Header: Delay_Req, PTP 2.1, 90 bytes, domain 117, minorSdoId 0x54, unicast
  "01 12 005a 75 54 0400",
  // correctionField, messageTypeSpecific
  "0000000000000000 00000000",
  // sourcePortIdentity: organisation, 0xff, host number, port 1
  "025454 ff 01020304 0001",
  // sequenceId, controlField, logMessageInterval, originTimestamp
  "1235 01 7f 00000000000000000000",
  // TLV: type, length, organizationId, organizationSubType
  "0003 002a 025454 435301",
  // version, flags, key number, fromHost, toHost, probe, MAC
  "01 a5 beef 01020304 fffefdfc 001fffff80001235 00000000000000000000000000000000",
].join("");

const goldenBytes = () => Uint8Array.from(Buffer.from(golden.replaceAll(" ", ""), "hex"));

function decode(bytes: Uint8Array): string | undefined {
  return decodeProbe(bytes, 0, bytes.length, createProbeFields());
}

describe("a probe", () => {
  it("has the bytes of the layout, whatever stood in the buffer before", () => {
    const bytes = new Uint8Array(PROBE_BYTES + 7).fill(0xee);
    encodeProbe(bytes, 3, fields);
    expect(Buffer.from(bytes.subarray(3, 3 + PROBE_BYTES))).toEqual(Buffer.from(goldenBytes()));
    expect([...bytes.subarray(0, 3), ...bytes.subarray(3 + PROBE_BYTES)]).toEqual(
      Array(7).fill(0xee),
    );
  });

  it("has the bytes of the example in the documentation", () => {
    const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
    const dump = page.split("### Example")[1].split("```")[1].trim();
    const lines = dump.split("\n").map((line) => line.slice(4).replaceAll(" ", ""));
    const bytes = new Uint8Array(PROBE_BYTES);
    const hosts = { fromHost: 16909060, toHost: 7 };
    encodeProbe(bytes, 0, { domainNumber: 117, ...hosts, probe: 66049, keyNumber: 4711, flags: 0 });
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const hmac = {
      keyOf: (k: Uint8Array) => k,
      mac: (k: Uint8Array, data: Uint8Array) => createHmac("sha256", k).update(data).digest(),
    };
    sealProbe(bytes, 0, hmac, key, new Uint8Array(PROBE_COVERED_BYTES));
    expect(Buffer.from(bytes).toString("hex")).toBe(lines.join(""));
  });

  it("is read from the bytes of the layout at any offset", () => {
    const bytes = new Uint8Array(200).fill(0xee);
    bytes.set(goldenBytes(), 11);
    const out = createProbeFields();
    expect(decodeProbe(bytes, 11, PROBE_BYTES, out)).toBeUndefined();
    expect(out).toEqual(fields);
  });

  it("stays readable after a transparent clock and a relabelled minor version", () => {
    const bytes = goldenBytes();
    bytes.fill(0xff, 8, 16);
    bytes[1] = 0x02;
    expect(decode(bytes)).toBeUndefined();
  });

  it("asserts that the caller's fields are in range and that there is room", () => {
    const bytes = new Uint8Array(PROBE_BYTES);
    expect(() => encodeProbe(bytes, 1, fields)).toThrow("no room");
    for (const wrong of [
      { probe: PROBE_NUMBER_MAX + 1 },
      { probe: -1 },
      { probe: 0.5 },
      { fromHost: 2 ** 32 },
      { toHost: -1 },
      { domainNumber: 256 },
      { flags: 256 },
      { keyNumber: 65_536 },
    ]) {
      expect(() => encodeProbe(bytes, 0, { ...fields, ...wrong })).toThrow("out of range");
    }
  });
});

describe("a datagram is refused", () => {
  const cases: [name: string, at: number, value: number, reason: string][] = [
    ["a Sync", 0, 0x00, "messageType"],
    ["a majorSdoId of 802.1AS", 0, 0x11, "messageType"],
    ["PTP version 1", 1, 0x11, "versionPTP"],
    ["PTP version 3", 1, 0x13, "versionPTP"],
    ["a messageLength that is not the datagram's", 3, 0x5c, "messageLength"],
    ["a messageLength with a high byte", 2, 0x01, "messageLength"],
    ["the minorSdoId of a PTP daemon", 5, 0x00, "minorSdoId"],
    ["another TLV", 45, 0x08, "tlvType"],
    ["another length of the TLV", 47, 0x28, "lengthField"],
    ["another organisation", 49, 0x55, "organizationId"],
    ["another subtype", 53, 0x02, "organizationSubType"],
    ["another version of the fields", 54, 0x02, "version"],
    ["a probe number with the highest bit", 66, 0x80, "probe number"],
  ];

  it.each(cases)("with %s", (_, at, value, reason) => {
    const bytes = goldenBytes();
    bytes[at] = value;
    const out = createProbeFields();
    expect(decodeProbe(bytes, 0, bytes.length, out)).toBe(reason);
    expect(out).toEqual(createProbeFields());
  });

  it("when it is shorter, longer, or reaches past the buffer", () => {
    const bytes = new Uint8Array(PROBE_BYTES + 10);
    bytes.set(goldenBytes());
    const out = createProbeFields();
    expect(decodeProbe(bytes, 0, PROBE_BYTES - 1, out)).toBe("too short");
    expect(decodeProbe(bytes, 0, 0, out)).toBe("too short");
    expect(decodeProbe(bytes, 0, PROBE_BYTES + 1, out)).toBe("too long");
    expect(decodeProbe(bytes.subarray(0, 60), 0, PROBE_BYTES, out)).toBe("too short");
    expect(out).toEqual(createProbeFields());
  });

  it("with a probe number of 2^53, and not with 2^53-1", () => {
    const bytes = goldenBytes();
    bytes.set(Buffer.from("0020000000000000", "hex"), 66);
    expect(decode(bytes)).toBe("probe number");
    bytes.set(Buffer.from("001fffffffffffff", "hex"), 66);
    const out = createProbeFields();
    expect(decodeProbe(bytes, 0, bytes.length, out)).toBeUndefined();
    expect(out.probe).toBe(PROBE_NUMBER_MAX);
  });
});

describe("the correctionField", () => {
  const correction = (hex: string): number => {
    const bytes = goldenBytes();
    bytes.set(Buffer.from(hex, "hex"), 8);
    return readCorrectionNs(bytes, 0);
  };

  it("counts 2^-16 ns, as in the standard's example of 2.5 ns", () => {
    expect(correction("0000000000028000")).toBe(2.5);
    expect(correction("0000000000000000")).toBe(0);
    expect(correction("0000010000000000")).toBe(2 ** 24);
  });

  it("is signed", () => {
    expect(correction("fffffffffffd8000")).toBe(-2.5);
  });

  it("is not a number when it overflowed", () => {
    expect(correction("7fffffffffffffff")).toBeNaN();
  });
});
