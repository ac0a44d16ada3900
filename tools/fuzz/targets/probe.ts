/** Datagrams on the probes' port: bytes into `decodeProbe`. */
import {
  createProbeFields,
  decodeProbe,
  encodeProbe,
  PROBE_BYTES,
  PROBE_NUMBER_MAX,
  type ProbeFields,
  readCorrectionNs,
} from "@ttcs/protocol";
import { ByteMutator } from "../mutate.ts";
import { type FuzzTarget, must } from "../target.ts";

/** What no decoder may write over when it refuses. */
const UNTOUCHED = 4_000_000_007;

const probeOf = (fields: Partial<ProbeFields>): Uint8Array => {
  const bytes = new Uint8Array(PROBE_BYTES);
  encodeProbe(bytes, 0, { ...createProbeFields(), domainNumber: 117, ...fields });
  return bytes;
};

const isWord = (n: number): boolean => n >>> 0 === n;

export function probeTarget(): FuzzTarget {
  const mutator = new ByteMutator();
  const seeds = [
    probeOf({ fromHost: 1, toHost: 2, probe: 66_049 }),
    probeOf({ fromHost: 2 ** 32 - 1, toHost: 0, probe: PROBE_NUMBER_MAX, flags: 255 }),
  ];
  const fields = createProbeFields();
  const { probe: _, ...others } = fields;
  const keys = Object.keys(others) as (keyof typeof others)[];
  return {
    cases: 10_000_000,
    limitMs: 50,
    seeds,
    mutate: (random, pool) => mutator.mutate(random, pool),
    run(input) {
      fields.probe = UNTOUCHED;
      const refused = decodeProbe(input, 0, input.length, fields);
      if (refused !== undefined) {
        must(fields.probe === UNTOUCHED, "a refused probe leaves something behind");
        return false;
      }
      must(Number.isSafeInteger(fields.probe) && fields.probe >= 0, "a probe number out of range");
      must(
        keys.every((key) => isWord(fields[key])),
        "a field out of range",
      );
      const correctionNs = readCorrectionNs(input, 0);
      must(
        Math.abs(correctionNs) <= 2 ** 47 || Number.isNaN(correctionNs),
        "a correctionField out of range",
      );
      return true;
    },
  };
}
