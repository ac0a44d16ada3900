/**
 * Enrolment tokens: `ttcs_ID_SECRET`. The id finds the row, the secret is 256 random bits of which only a
 * hash is kept; so a plain hash is enough, there is nothing to guess.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const FORM = /^ttcs_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** A token as its owner writes it, and what is kept of it. */
export interface NewToken {
  readonly text: string;
  readonly id: string;
  readonly secretHash: string;
}

/** A token nobody has seen yet. */
export function newToken(): NewToken {
  const id = randomBytes(ID_BYTES).toString("hex");
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return { text: `ttcs_${id}_${secret}`, id, secretHash: hashOf(secret) };
}

/** The parts of a token's text; undefined: it is none. */
export function parseToken(text: string): { id: string; secretHash: string } | undefined {
  const [, id, secret] = FORM.exec(text) ?? [];
  return id !== undefined && secret !== undefined ? { id, secretHash: hashOf(secret) } : undefined;
}

/** Compares two hashes without telling by its time where they differ. */
export function isSameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, "hex"), Buffer.from(b, "hex")];
  return left.length > 0 && left.length === right.length && timingSafeEqual(left, right);
}

const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");
