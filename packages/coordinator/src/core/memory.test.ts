import { create } from "@bufbuild/protobuf";
import { HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { type DomainMemory, memoryFromText, memoryToText } from "./memory.ts";

const host = (number: number, hostId: string) => ({
  number,
  connected: number % 2 === 1,
  hello: create(HelloSchema, { hostId, bootId: "boot", clockQuality: 9, probeAddress: "::1" }),
});

const memory: DomainMemory = {
  hosts: [host(1, "a"), host(3, "b")],
  nextNumber: 4,
  leadership: { referenceId: "a", losses: [{ id: "b", proofMs: 60_000 }] },
  anchors: ["a", "b"],
  regions: [
    {
      name: "eu",
      leadership: { referenceId: "b", losses: [] },
      anchors: ["b"],
    },
  ],
  gateways: [{ a: 1, b: 3, owner: 3 }],
  round: 3_590_611_200n,
};

test("a memory comes back from its document as it was", () => {
  expect(memoryFromText(memoryToText(memory))).toEqual(memory);
});

test("a document of an older version, which knew one region, is read", () => {
  const { regions: _, gateways: __, ...older } = JSON.parse(memoryToText(memory));
  expect(memoryFromText(JSON.stringify(older))).toEqual({ ...memory, regions: [], gateways: [] });
});

test("a document that makes no sense is no memory", () => {
  const document = JSON.parse(memoryToText(memory));
  const broken: object[] = [
    { version: 2 },
    { hosts: 7 },
    { hosts: [{}] },
    { hosts: [null] },
    { hosts: [document.hosts[0], document.hosts[0]] },
    { hosts: [{ ...document.hosts[0], number: 0 }] },
    { hosts: [{ ...document.hosts[0], number: 1.5 }] },
    { hosts: [{ ...document.hosts[0], hello: { hostId: "" } }] },
    { hosts: [{ ...document.hosts[0], hello: { hostId: 5 } }] },
    { nextNumber: 3 },
    { nextNumber: 2 ** 33 },
    { leadership: null },
    { leadership: { ...document.leadership, referenceId: null } },
    { leadership: { ...document.leadership, losses: [{ id: 5, proofMs: 1 }] } },
    { anchors: "a" },
    { anchors: [1] },
    { regions: "eu" },
    { regions: [null] },
    { regions: [{ ...document.regions[0], name: 5 }] },
    { regions: [{ ...document.regions[0], anchors: [7] }] },
    { regions: [{ ...document.regions[0], leadership: {} }] },
    { regions: [document.regions[0], document.regions[0]] },
    { gateways: 5 },
    { gateways: [null] },
    { gateways: [{ a: 1, b: 1, owner: 1 }] },
    { gateways: [{ a: 1, b: 0, owner: 1 }] },
    { gateways: [{ a: 1, b: 3, owner: 2 }] },
    { round: "-1" },
    { round: "9".repeat(40) },
    { round: {} },
  ];
  for (const part of broken) {
    expect([part, memoryFromText(JSON.stringify({ ...document, ...part }))]).toEqual([
      part,
      undefined,
    ]);
  }
  for (const text of ["", "null", "[]", memoryToText(memory).slice(0, -9)]) {
    expect(memoryFromText(text)).toBe(undefined);
  }
});
