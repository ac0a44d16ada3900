import { expect, test } from "vitest";
import { isSameHash, newToken, parseToken } from "./token.ts";

test("a token is read back as its id and the hash of its secret; no two are alike", () => {
  const tokens = Array.from({ length: 100 }, newToken);
  for (const { text, id, secretHash } of tokens) {
    expect(parseToken(text)).toEqual({ id, secretHash });
    expect(text).not.toContain(secretHash);
  }
  expect(new Set(tokens.map((t) => t.id)).size).toBe(100);
  expect(new Set(tokens.map((t) => t.secretHash)).size).toBe(100);
});

test("what is no token is none, and a changed one has another hash", () => {
  const { text, secretHash } = newToken();
  for (const bad of ["", "ttcs", text.slice(1), text.slice(0, -1), `${text}x`, ` ${text}`]) {
    expect(parseToken(bad)).toBeUndefined();
  }
  const changed = text.slice(0, -2) + (text.at(-2) === "A" ? "B" : "A") + text.at(-1);
  expect(isSameHash(parseToken(changed)!.secretHash, secretHash)).toBe(false);
  expect(isSameHash(secretHash, secretHash)).toBe(true);
  expect(isSameHash("", "")).toBe(false);
});
