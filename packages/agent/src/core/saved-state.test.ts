import { create } from "@bufbuild/protobuf";
import { AssignmentSchema, CorrectionSchema } from "@ttcs/protocol";
import { hashText, rawNanos } from "@ttcs/units";
import { expect, test } from "vitest";
import { formatState, ownMoveNs, parseState, type SavedState, usable } from "./saved-state.ts";

const state: SavedState = {
  bootId: "boot 1",
  rawNs: rawNanos(1_000_000_000_000n),
  ledger: { basePpb: -12_345.6, learntS: 800, accumulatedNs: 1e6 },
  panic: undefined,
  term: 2n ** 60n,
  round: 3_590_611_200n,
  lockedBefore: true,
  offsetNs: -1_234.5,
  correction: create(CorrectionSchema, {
    segments: [
      { rawNs: 999_000_000_000n, domainUnixNs: 1_795_305_600_000_000_001n, freqPpb: -12_300 },
    ],
    solvedRawNs: 999_000_000_000n,
    windowCloseRawNs: 999_250_000_000n,
    boundNs: 10_000,
    validForNs: 2e9,
  }),
};
const after = (seconds: number) => rawNanos(state.rawNs + BigInt(seconds) * 1_000_000_000n);

test("a state comes back as it was saved", () => {
  expect(parseState(formatState(state))).toEqual({ ok: true, state });
  const panicked = { ...state, panic: "panic: moved", correction: undefined, ledger: undefined };
  expect(parseState(formatState(panicked))).toEqual({ ok: true, state: panicked });
});

test("a host's place comes back with it; a state without one is as good", () => {
  const neighbours = [{ hostId: "h2", hostNumber: 2, probeAddress: "10.0.0.2", owner: true }];
  const assignment = create(AssignmentSchema, { neighbours, pairsPerSecond: 10 });
  const placed = { ...state, place: { hostNumber: 7, assignment } };
  expect(parseState(formatState(placed))).toEqual({ ok: true, state: placed });
  const nobody = { ...state, place: { hostNumber: 0, assignment } };
  expect(parseState(formatState(nobody)).ok).toBe(false);
});

test("no text that was cut off, and none with a changed letter, is believed", () => {
  const text = formatState(state).trimEnd();
  for (let end = 0; end < text.length; end++) {
    expect(parseState(text.slice(0, end)).ok, text.slice(0, end)).toBe(false);
  }
  const digits = [...text.matchAll(/\d/g)].map(({ index }) => index);
  for (const at of digits) {
    const changed = text.slice(0, at) + ((Number(text[at]) + 1) % 10) + text.slice(at + 1);
    expect(parseState(changed).ok, changed).toBe(false);
  }
});

test.each(["", "{}", "null", "[]", '{"version":2}', "\0".repeat(500)])("%j is refused", (text) => {
  expect(parseState(text).ok).toBe(false);
});

test("what is no text is refused where a text belongs, however deep it is, and not put into words", () => {
  for (const key of ["boot_id", "raw_ns", "term", "round"]) {
    const { body } = JSON.parse(formatState(state));
    body[key] = [body[key]];
    const text = JSON.stringify({ version: 1, checksum: hashText(JSON.stringify(body)), body });
    expect(parseState(text), key).toMatchObject({ reason: expect.stringContaining("text") });
  }
  const reason = "no version instead of 1";
  expect(parseState('{"version":[["x"]]}')).toEqual({ ok: false, reason });
});

test("a line is used on the boot it was told on, by a raw clock that has gone on", () => {
  expect(usable(state, "boot 1", after(30)).correction).toBeDefined();
  expect(usable(state, "boot 2", after(30)).correction).toBeUndefined();
  expect(usable(state, "boot 1", after(-1)).correction).toBeUndefined();
  expect(usable(state, "boot 1", after(90_000)).correction).toBeUndefined();
  expect(usable(state, "boot 2", after(30))).toMatchObject({
    ledger: state.ledger,
    lockedBefore: false,
  });
});

test("a line that no crystal can have is not used, though its checksum is right", () => {
  const segments = state.correction!.segments.map((s) => ({ ...s, freqPpb: 1e300 }));
  const correction = { ...state.correction!, segments };
  const read = parseState(formatState({ ...state, correction }));
  expect(read.ok && usable(read.state, "boot 1", after(1)).correction).toBeUndefined();
});

test("what our own hand may have moved is what it had left, and what the setting has done since", () => {
  const left = { rawNs: state.rawNs, offsetNs: -5e6 };
  expect(ownMoveNs(left, 12_000, 12_000, after(100))).toBe(5e6);
  // 50 us a second for 100 s, whichever way.
  expect(ownMoveNs(left, -38_000, 12_000, after(100))).toBeCloseTo(10e6, 3);
  expect(ownMoveNs(left, -38_000, undefined, after(100))).toBe(5e6);
});

test("a file of an older agent says nothing of where the clock was", () => {
  const { checksum: _, body, ...rest } = JSON.parse(formatState(state));
  delete body.offset_ns;
  const text = JSON.stringify({ ...rest, checksum: hashText(JSON.stringify(body)), body });
  expect(parseState(text)).toEqual({ ok: true, state: { ...state, offsetNs: 0 } });
});
