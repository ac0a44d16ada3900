import { expect, test } from "vitest";
import { Fellows } from "./fellows.ts";

const row = (id: string, beat: number) => ({ id, address: `${id}:6176`, beat: BigInt(beat) });

const domains = Array.from({ length: 300 }, (_, i) => `domain-${i}`);

test("every server comes to the same order, and each is the first choice for its share", () => {
  const list = [row("a", 1), row("b", 1), row("c", 1)];
  const first = new Map<string, number>();
  const [a, b] = ["a", "b"].map((id) => new Fellows(id));
  a.saw(list, 0);
  b.saw([...list].reverse(), 0);
  for (const domain of domains) {
    expect(a.order(domain, 0)).toEqual(b.order(domain, 0));
    const { id } = a.order(domain, 0)[0];
    first.set(id, (first.get(id) ?? 0) + 1);
  }
  for (const id of ["a", "b", "c"]) expect(first.get(id)).toBeGreaterThan(60);
});

test("a server whose beat stands still is dead after three seconds; only its domains move", () => {
  const fellows = new Fellows("a");
  fellows.saw([row("a", 1), row("b", 1), row("c", 1)], 0);
  const before = domains.map((d) => fellows.order(d, 0)[0].id);
  fellows.saw([row("a", 1), row("b", 1), row("c", 2)], 2_900);
  expect(fellows.order("x", 2_900)).toHaveLength(3);
  const after = domains.map((d) => fellows.order(d, 3_000)[0].id);
  expect(after).not.toContain("b");
  for (const [i, id] of before.entries()) if (id !== "b") expect(after[i]).toBe(id);
});

test("a better server is given a domain only after it has lived for a while without a break", () => {
  const fellows = new Fellows("a");
  const domain = domains.find((d) => {
    const both = new Fellows("a");
    both.saw([row("a", 1), row("b", 1)], 0);
    return both.rank(d, 0) === 1;
  })!;
  const better = (nowMs: number, beat: number) => {
    fellows.saw([row("a", 1), row("b", beat)], nowMs);
    return fellows.betterFor(domain, 10_000, nowMs)?.id;
  };
  let beat = 1;
  for (let ms = 0; ms < 10_000; ms += 1_000) expect(better(ms, beat++)).toBe(undefined);
  expect(better(10_000, beat++)).toBe("b");
  expect(better(15_000, beat++)).toBe(undefined);
  for (let ms = 16_000; ms < 25_000; ms += 1_000) expect(better(ms, beat++)).toBe(undefined);
  expect(better(25_000, beat++)).toBe("b");
});
