import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createProbeFields,
  decodeProbe,
  encodeProbe,
  PROBE_BYTES,
  PROBE_NUMBER_MAX,
} from "./probe.ts";

const seed = 319;
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const uint8 = fc.integer({ min: 0, max: 255 });
const anyFields = fc.record({
  domainNumber: uint8,
  fromHost: uint32,
  toHost: uint32,
  probe: fc.oneof(
    fc.integer({ min: 0, max: PROBE_NUMBER_MAX }),
    fc.constantFrom(0, 0xffff, 0x10000, 0xffffffff, 0x100000000, PROBE_NUMBER_MAX),
  ),
  keyNumber: fc.integer({ min: 0, max: 65_535 }),
  flags: uint8,
});

/** Offsets of the bytes that a receiver compares with a constant, all eight bits of them. */
const fixedBytes = [0, 2, 3, 5, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54];

describe("probes in general", () => {
  it("are decoded to what was encoded", () => {
    const bytes = new Uint8Array(PROBE_BYTES * 2);
    fc.assert(
      fc.property(anyFields, fc.nat(PROBE_BYTES), (fields, offset) => {
        encodeProbe(bytes, offset, fields);
        const out = createProbeFields();
        expect(decodeProbe(bytes, offset, PROBE_BYTES, out)).toBeUndefined();
        expect(out).toEqual(fields);
      }),
      { seed, numRuns: 2000 },
    );
  });

  it("are not recognised in random bytes, which never throw", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(220),
        fc.nat(220),
        (bytes, offset, length) => {
          expect(decodeProbe(bytes, offset, length, createProbeFields())).toBeTypeOf("string");
        },
      ),
      { seed, numRuns: 5000 },
    );
  });

  it("are refused after any change to a byte that has to be what it is", () => {
    fc.assert(
      fc.property(
        anyFields,
        fc.constantFrom(...fixedBytes),
        fc.integer({ min: 1, max: 255 }),
        (fields, at, flip) => {
          const bytes = new Uint8Array(PROBE_BYTES);
          encodeProbe(bytes, 0, fields);
          bytes[at] ^= flip;
          expect(decodeProbe(bytes, 0, PROBE_BYTES, createProbeFields())).toBeTypeOf("string");
        },
      ),
      { seed, numRuns: 2000 },
    );
  });
});
