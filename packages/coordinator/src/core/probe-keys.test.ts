import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { newHost } from "./host.ts";
import { GENERATION_MS, KeyDealer } from "./probe-keys.ts";

const run = (...instance: number[]) =>
  create(HelloSchema, { hostId: "h", instance: Uint8Array.from(instance) });

function dealt() {
  let derived = 0;
  const dealer = new KeyDealer((label) => {
    derived++;
    return createHash("sha512").update("secret").update(label).digest();
  });
  dealer.look(0);
  const [a, b] = [newHost(1, run(1), 1), newHost(2, run(2), 2)];
  return { dealer, a, b, derivedCount: () => derived };
}

test("both ends of an edge are told the same key, each direction has its own, and none is derived twice", () => {
  const { dealer, a, b, derivedCount } = dealt();
  const keys = [dealer.keyOf(a, b), dealer.keyOf(b, a), dealer.keyOf(a, b), dealer.keyOf(b, a)];
  expect(keys[2]).toEqual(keys[0]);
  expect(keys[3]).toEqual(keys[1]);
  expect(keys[0].key).not.toEqual(keys[1].key);
  expect(derivedCount()).toBe(2);
});

test("another generation, and another run of either end's agent, have other keys", () => {
  const { dealer, a, b } = dealt();
  const seen = [dealer.keyOf(a, b).key];
  a.hello = run(3);
  seen.push(dealer.keyOf(a, b).key);
  b.hello = run(4);
  seen.push(dealer.keyOf(a, b).key);
  expect(dealer.look(GENERATION_MS)).toBe(true);
  seen.push(dealer.keyOf(a, b).key);
  expect(new Set(seen.map((key) => Buffer.from(key).toString("hex"))).size).toBe(4);
});

test("a host of very many former neighbours keeps no key of each", () => {
  const { dealer, a, derivedCount } = dealt();
  const others = Array.from({ length: 1_000 }, (_, i) => newHost(i + 10, run(9), i + 10));
  for (const other of others) dealer.keyOf(a, other);
  for (const other of others.slice(-10)) dealer.keyOf(a, other);
  expect(derivedCount()).toBe(1_000);
  dealer.keyOf(a, others[0]);
  expect(derivedCount()).toBe(1_001);
});
