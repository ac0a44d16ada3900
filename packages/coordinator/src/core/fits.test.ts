import { create } from "@bufbuild/protobuf";
import { type EdgeFit, EdgeFitSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { FitBook } from "./fits.ts";

const DEALT = new Set(["1-2", "2-3"]);

const fit = (owner: number, other: number, more: Partial<EdgeFit> = {}): EdgeFit =>
  create(EdgeFitSchema, {
    owner,
    other,
    ownerBaseRawNs: 7n,
    otherBaseRawNs: 9n,
    midNs: 1e9,
    offsetNs: 500,
    offsetSigmaNs: 10,
    freqSigmaPpb: 10,
    belowBoundNs: 1000,
    aboveBoundNs: 1000,
    ...(more as object),
  });
const offsets = (book: FitBook, nowMs: number) => book.fresh(nowMs).map((f) => f.offsetNs);

test("a fit is fresh for a round and a half, and then it is forgotten", () => {
  const book = new FitBook();
  expect(book.take([fit(1, 2)], 1, DEALT, 0)).toEqual([]);
  expect(offsets(book, 750)).toEqual([500]);
  expect(offsets(book, 751)).toEqual([]);
  expect(offsets(book, 0)).toEqual([]);
});

test("the order of edges stays while they report, in whatever order reports come", () => {
  const book = new FitBook();
  book.take([fit(1, 2)], 1, DEALT, 0);
  book.take([fit(3, 2)], 3, DEALT, 0);
  book.take([fit(3, 2, { offsetNs: 2 })], 3, DEALT, 500);
  book.take([fit(1, 2, { offsetNs: 1 })], 1, DEALT, 501);
  expect(offsets(book, 600)).toEqual([1, 2]);
});

test("an audit stands in for an owner that is silent, and for no other", () => {
  const book = new FitBook();
  const audit = { audit: true, offsetNs: 77 };
  book.take([fit(1, 2)], 1, DEALT, 0);
  book.take([fit(1, 2, audit)], 2, DEALT, 700);
  expect(offsets(book, 700)).toEqual([500]);
  book.take([fit(1, 2, audit)], 2, DEALT, 760);
  expect(offsets(book, 760)).toEqual([77]);
  book.take([fit(1, 2, { offsetNs: 3 })], 1, DEALT, 770);
  expect(offsets(book, 770)).toEqual([3]);
});

test("an edge that changes hands has its new owner's fit, all of it", () => {
  const book = new FitBook();
  book.take([fit(1, 2)], 1, DEALT, 0);
  const turned = fit(2, 1, { ownerBaseRawNs: 9n, otherBaseRawNs: 7n, offsetNs: -500, midNs: 5 });
  book.take([turned], 2, DEALT, 100);
  const { owner, other, ownerBaseRawNs, otherBaseRawNs, offsetNs, midNs } = book.fresh(100)[0];
  expect([owner, other, ownerBaseRawNs, otherBaseRawNs, offsetNs, midNs]).toEqual([
    2,
    1,
    9n,
    7n,
    -500,
    5,
  ]);
});

test("every field that the solve reads is copied", () => {
  const first = fit(1, 2);
  const told = fit(1, 2, {
    ownerBaseRawNs: 1n,
    otherBaseRawNs: 2n,
    midNs: 3,
    offsetNs: 4,
    freqPpb: 5,
    offsetSigmaNs: 6,
    slowSigmaNs: 7,
    freqSigmaPpb: 8,
    belowBoundNs: 9,
    aboveBoundNs: 10,
    delayForwardNsMin: 11,
    delayReverseNsMin: 12,
    ownerCarrySigmaNs: 13,
    otherCarrySigmaNs: 14,
  });
  for (const before of [[], [first]]) {
    const book = new FitBook();
    for (const each of [...before, told]) book.take([each], 1, DEALT, 0);
    const [{ contested, ...kept }] = book.fresh(0);
    expect(contested).toBe(false);
    expect(Object.keys(kept)).toHaveLength(16);
    expect(told).toMatchObject(kept);
    expect(book.fresh(0)[0]).not.toBe(told);
  }
});

test("fits of strangers, of nobody's edges and of no sense are refused with a reason", () => {
  const book = new FitBook();
  expect(book.take([fit(1, 3)], 1, DEALT, 0)).toEqual(["fit 1-3: there is no such edge"]);
  expect(book.take([fit(1, 2)], 2, DEALT, 0)[0]).toContain("not the end that it speaks for");
  expect(book.take([fit(1, 2, { offsetSigmaNs: -1 })], 1, DEALT, 0)[0]).toContain("uncertainty");
  expect(book.take([fit(1, 2, { slowSigmaNs: Number.NaN })], 1, DEALT, 0)[0]).toContain(
    "uncertainty",
  );
  expect(book.take([fit(1, 2, { distrust: "too few probes" })], 1, DEALT, 0)).toEqual([]);
  expect(offsets(book, 0)).toEqual([]);
});

test("a host that boots takes its fits along", () => {
  const book = new FitBook();
  book.take([fit(1, 2)], 1, DEALT, 0);
  book.take([fit(3, 2, { offsetNs: 4 })], 3, DEALT, 0);
  book.forget(1);
  expect(offsets(book, 0)).toEqual([4]);
});

test("a delay that no path has is refused: one edge's round trip must not become all edges' NaN", () => {
  for (const delayForwardNsMin of [1e200, Number.NaN, Number.POSITIVE_INFINITY]) {
    const book = new FitBook();
    expect(book.take([fit(1, 2, { delayForwardNsMin })], 1, DEALT, 0)[0]).toContain("a delay of");
    expect(offsets(book, 0)).toEqual([]);
  }
});

test("an audit that excludes what the owner says marks the edge until the next agrees", () => {
  const book = new FitBook();
  const contested = (nowMs: number) => book.fresh(nowMs)[0].contested;
  const owned = (nowMs: number) => {
    // A window later: both clocks have gone on, and the audit's middle is another.
    book.take([fit(1, 2, { midNs: 1e9 + nowMs * 1e6 })], 1, DEALT, nowMs);
    return contested(nowMs);
  };
  const audit = (offsetNs: number, nowMs: number) =>
    book.take([fit(1, 2, { audit: true, offsetNs, midNs: 1.1e9 + nowMs * 1e6 })], 2, DEALT, nowMs);
  expect(owned(0)).toBe(false);
  audit(2_400, 0);
  expect(owned(500)).toBe(false);
  audit(2_600, 500);
  expect(contested(500)).toBe(true);
  expect(owned(1_000)).toBe(true);
  audit(600, 1_000);
  expect(owned(1_500)).toBe(false);
  audit(-1_600, 1_500);
  for (let ms = 2_000; ms < 12_000; ms += 500) expect(owned(ms)).toBe(true);
  expect(owned(12_000)).toBe(false);
});

test("an edge that is dealt no more is refused, also from a host that has told it before", () => {
  const book = new FitBook();
  expect(book.take([fit(1, 2)], 1, DEALT, 0)).toEqual([]);
  expect(book.take([fit(1, 2)], 1, new Set(["2-3"]), 500)[0]).toContain("there is no such edge");
});

test("an edge that went stale counts again when its host goes on in the same order", () => {
  const book = new FitBook();
  book.take([fit(2, 3), fit(1, 2)], 2, DEALT, 0);
  expect(offsets(book, 5_000)).toEqual([]);
  book.take([fit(2, 3, { offsetNs: 8 })], 2, DEALT, 5_000);
  expect(offsets(book, 5_000)).toEqual([8]);
});

test("fits in another order than before are told apart", () => {
  const book = new FitBook();
  const [a, b] = [fit(2, 1, { offsetNs: 1 }), fit(2, 3, { offsetNs: 3 })];
  book.take([a, b], 2, DEALT, 0);
  book.take([b, a], 2, DEALT, 500);
  expect(book.fresh(500).map((f) => [f.other, f.offsetNs])).toEqual([
    [1, 1],
    [3, 3],
  ]);
});
