import type { CertificateRow, CertificateStore } from "@ttcs/store";
import { expect, test } from "vitest";
import { Directory } from "./directory.ts";

const rowOf = (revision: number, hostId: string, ended = false): CertificateRow => ({
  revision: BigInt(revision),
  hostId,
  ended,
  certificateHash: `hash of ${hostId}`,
  domain: "default",
  serial: hostId,
  keyHash: "",
  certificate: "",
  token: "",
});

/** A store that answers with what changed, or not at all. */
function fakeStore() {
  const rows: CertificateRow[] = [];
  const state = { isGone: false, asked: 0 };
  const since: CertificateStore["since"] = async (revision, limit) => {
    state.asked++;
    if (state.isGone) return { ok: false, reason: "gone" };
    const after = rows.filter((r) => r.revision > revision).slice(0, limit);
    return { ok: true, value: after };
  };
  return { rows, state, store: { since } as CertificateStore };
}

test("what changed is known after the next look, and an ending is told once", async () => {
  const { rows, store } = fakeStore();
  const ended: string[] = [];
  const directory = new Directory(store, (hash) => ended.push(hash));
  rows.push(rowOf(1, "a"), rowOf(2, "b"));
  expect(directory.find("hash of a")).toBeUndefined();
  expect(await directory.refresh()).toBe(true);
  expect(directory.find("hash of a")).toEqual({ domain: "default", hostId: "a", ended: false });
  rows.push(rowOf(3, "a", true));
  await directory.refresh();
  await directory.refresh();
  expect(directory.find("hash of a")?.ended).toBe(true);
  expect(directory.find("hash of b")?.ended).toBe(false);
  expect(ended).toEqual(["hash of a"]);
});

test("a database that is gone takes nobody's identity away", async () => {
  const { rows, state, store } = fakeStore();
  const directory = new Directory(store, () => {});
  rows.push(rowOf(1, "a"));
  await directory.refresh();
  state.isGone = true;
  expect(await directory.refresh()).toBe(false);
  expect(directory.find("hash of a")?.ended).toBe(false);
});

test("many changes come page by page, and those who ask at once wait for one answer", async () => {
  const { rows, state, store } = fakeStore();
  for (let i = 1; i <= 12_000; i++) rows.push(rowOf(i, `h${i}`));
  const directory = new Directory(store, () => {});
  await Promise.all([directory.refresh(), directory.refresh(), directory.refresh()]);
  expect(directory.find("hash of h12000")).toBeDefined();
  expect(state.asked).toBe(3);
});
