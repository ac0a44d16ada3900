import { createHmac } from "node:crypto";
import { Prng } from "@ttcs/units";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createProbeFields,
  decodeProbe,
  encodeProbe,
  PROBE_BYTES,
  PROBE_COVERED_BYTES,
} from "./probe.ts";
import { ProbeGate, type ProbeKeyBytes, sealProbe } from "./probe-gate.ts";
import { ReplayWindow } from "./replay-window.ts";

const hmac = {
  keyOf: (bytes: Uint8Array) => bytes,
  mac: (key: Uint8Array, data: Uint8Array) => createHmac("sha256", key).update(data).digest(),
};
const keyOf = (number: number, first = number): ProbeKeyBytes => ({
  number,
  key: new Uint8Array(32).fill(first),
});
const FROM = 7;
const TO = 9;
const scratch = new Uint8Array(PROBE_COVERED_BYTES);

function sealed(probe: number, key: ProbeKeyBytes, fromHost = FROM): Uint8Array {
  const bytes = new Uint8Array(PROBE_BYTES);
  const fields = { domainNumber: 117, fromHost, toHost: TO, probe, flags: 0 };
  encodeProbe(bytes, 0, { ...fields, keyNumber: key.number });
  sealProbe(bytes, 0, hmac, key.key, scratch);
  return bytes;
}

function judge(gate: ProbeGate<Uint8Array>, bytes: Uint8Array): string | undefined {
  const fields = createProbeFields();
  return decodeProbe(bytes, 0, bytes.length, fields) ?? gate.judge(bytes, 0, fields);
}

function gateWith(...receive: ProbeKeyBytes[]): ProbeGate<Uint8Array> {
  const gate = new ProbeGate(hmac);
  gate.setKeys([{ hostNumber: FROM, send: undefined, receive }]);
  return gate;
}

test("a probe sealed with a key of its edge is let in once; any other is told why not", () => {
  const gate = gateWith(keyOf(1), keyOf(2));
  const probe = sealed(100, keyOf(2));
  expect(judge(gate, probe)).toBeUndefined();
  expect(judge(gate, probe)).toBe("replayed");
  expect(judge(gate, sealed(100, keyOf(1)))).toBeUndefined();
  expect(judge(gate, sealed(101, keyOf(3)))).toBe("unknown key");
  expect(judge(gate, sealed(101, keyOf(0)))).toBe("unknown key");
  expect(judge(gate, sealed(101, keyOf(2), FROM + 1))).toBe("unknown sender");
  expect(judge(gate, sealed(101, keyOf(2, 99)))).toBe("forged");
  // A forgery must not close the way for the true one.
  expect(judge(gate, sealed(101, keyOf(2)))).toBeUndefined();
});

test("a change of any bit but the correctionField's is noticed", () => {
  const random = new Prng(3);
  for (let at = 0; at < PROBE_BYTES; at++) {
    const gate = gateWith(keyOf(1));
    const bytes = sealed(100, keyOf(1));
    bytes[at] ^= 1 << Math.floor(8 * random.uniform());
    const isCovered = at < 8 || at >= 16;
    expect([at, judge(gate, bytes) === undefined]).toEqual([at, !isCovered]);
  }
});

test("keys that stay keep what they have seen, a new key of the same number has seen nothing", () => {
  const gate = gateWith(keyOf(1));
  const probe = sealed(5, keyOf(1));
  expect(judge(gate, probe)).toBeUndefined();
  gate.setKeys([{ hostNumber: FROM, send: undefined, receive: [keyOf(1), keyOf(2)] }]);
  expect(judge(gate, probe)).toBe("replayed");
  gate.setKeys([{ hostNumber: FROM, send: undefined, receive: [keyOf(1, 50)] }]);
  expect(judge(gate, probe)).toBe("forged");
  gate.setKeys([]);
  expect(judge(gate, probe)).toBe("unknown sender");
});

test("a neighbour that is dealt away and back has its keys again, and what was seen under them", () => {
  const gate = gateWith(keyOf(1));
  const probe = sealed(5, keyOf(1));
  expect(judge(gate, probe)).toBeUndefined();
  const away = { hostNumber: FROM + 1, send: undefined, receive: [keyOf(9)] };
  const back = { hostNumber: FROM, send: undefined, receive: [keyOf(1)] };
  for (let times = 0; times < 5; times++) {
    gate.setKeys([away]);
    expect(judge(gate, probe)).toBe("unknown sender");
    gate.setKeys([back, { ...away, receive: [keyOf(10 + times)] }]);
    expect(judge(gate, probe)).toBe("replayed");
  }
  // A key that rolls away and comes back, too.
  gate.setKeys([{ ...back, receive: [keyOf(2)] }]);
  gate.setKeys([back]);
  expect(judge(gate, probe)).toBe("replayed");
  expect(judge(gate, sealed(6, keyOf(1)))).toBeUndefined();
});

test("keys out of use are remembered in numbers that have an end", () => {
  const gate = new ProbeGate(hmac);
  for (let host = 1; host <= 3_000; host++) {
    gate.setKeys([{ hostNumber: host, send: undefined, receive: [keyOf(1)] }]);
  }
  const probe = sealed(5, keyOf(1), 3_000);
  expect(judge(gate, probe)).toBeUndefined();
  gate.setKeys([]);
  gate.setKeys([{ hostNumber: 3_000, send: undefined, receive: [keyOf(1)] }]);
  expect(judge(gate, probe)).toBe("replayed");
});

test("of a million captured probes, sent again across a key's roll and a restart, none is let in", () => {
  const seed = 11;
  const random = new Prng(seed);
  const CAPTURED = 20_000;
  const REPLAYS = 1_000_000;
  const [first, second, afterRestart] = [keyOf(1), keyOf(2), keyOf(1, 77)];
  let gate = gateWith(first);
  const captured: Uint8Array[] = [];
  for (let n = 0; n < CAPTURED; n++) {
    // Half-way the key rolls.
    if (n === CAPTURED / 2) {
      gate.setKeys([{ hostNumber: FROM, send: undefined, receive: [first, second] }]);
    }
    const bytes = sealed(1_000 + n, n < CAPTURED / 2 ? first : second);
    captured.push(bytes);
    expect(judge(gate, bytes)).toBeUndefined();
  }
  const counts: Record<string, number> = {};
  for (let i = 0; i < REPLAYS; i++) {
    // The old key is forgotten a while after the roll; then the process starts again, with other keys.
    if (i === REPLAYS / 3) {
      gate.setKeys([{ hostNumber: FROM, send: undefined, receive: [second] }]);
    }
    if (i === Math.floor((2 * REPLAYS) / 3)) gate = gateWith(afterRestart);
    const verdict = judge(gate, captured[Math.floor(random.uniform() * CAPTURED)]) ?? "let in";
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  console.log(`${REPLAYS} replays, seed ${seed}:`, counts);
  expect(counts["let in"]).toBeUndefined();
  expect(Object.keys(counts).sort()).toEqual(["forged", "replayed", "unknown key"]);
});

test("each number is fresh once at most, whatever the order, and always when it is the highest yet", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 300 }),
      fc.constantFrom(0, 2 ** 32 - 1_000, Number.MAX_SAFE_INTEGER - 3_000),
      (offsets, base) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = -1;
        for (const offset of offsets) {
          const number = base + offset;
          const isFresh = window.isFresh(number);
          const isTold = highest - number < 1_024;
          expect(isFresh).toBe(number > highest || (isTold && !seen.has(number)));
          if (!isFresh) continue;
          window.mark(number);
          seen.add(number);
          highest = Math.max(highest, number);
        }
      },
    ),
    { seed: 5, numRuns: 500 },
  );
});
