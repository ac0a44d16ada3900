/**
 * Opens the authority of a store, or makes it where there is none.
 *
 * Its private key lies in the store encrypted; what opens it lies in a key file that every server has.
 * Whoever reads the database alone can vouch for nobody.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuthorityRow, Store } from "@ttcs/store";
import { TtcsError } from "@ttcs/units";
import { Authority, newAuthority } from "./authority.ts";

/** 256 random bits. */
const KEY_BYTES = 32;
const KEY_FORM = /^[0-9a-f]{64}$/;
/** A database that does not answer is asked again after so long (ms). */
const ASK_AGAIN_MS = 500;

/** What is told while it takes long. */
export interface AuthorityWatch {
  /** The database does not answer yet. */
  waiting(reason: string): void;
}

/**
 * Waits for the database for as long as it takes.
 *
 * @param keyFile made where there is neither an authority nor a file; undefined: a key that ends with
 *   this process, for a store that does so too
 * @throws TtcsError AUTHORITY when the key file is missing, unreadable or another one
 */
export async function openAuthority(
  store: Store,
  keyFile: string | undefined,
  watch: AuthorityWatch,
): Promise<Authority> {
  const kept = await read(store, watch);
  const passphrase = passphraseOf(keyFile, kept !== undefined);
  const row = kept ?? (await keep(store, await newAuthority(passphrase), watch));
  try {
    return await Authority.open(row, passphrase);
  } catch (error) {
    const detail = `${keyFile} does not open its private key: copy the key file of the server that made it`;
    throw new TtcsError("AUTHORITY", { detail }, { cause: error });
  }
}

async function read(store: Store, watch: AuthorityWatch): Promise<AuthorityRow | undefined> {
  for (;;) {
    const result = await store.authority.read();
    if (result.ok) return result.value;
    watch.waiting(result.reason);
    await sleep(ASK_AGAIN_MS);
  }
}

/** Another server may have been first: its authority is the one, then. */
async function keep(store: Store, row: AuthorityRow, watch: AuthorityWatch): Promise<AuthorityRow> {
  for (;;) {
    const result = await store.authority.keepFirst(row);
    if (result.ok) return result.value;
    watch.waiting(result.reason);
    await sleep(ASK_AGAIN_MS);
  }
}

function passphraseOf(keyFile: string | undefined, mustExist: boolean): string {
  if (keyFile === undefined) return randomBytes(KEY_BYTES).toString("hex");
  try {
    return checked(readFileSync(keyFile, "utf8").trim(), keyFile);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof TtcsError) throw error;
    if (code !== "ENOENT" || mustExist) {
      const detail = `its key file cannot be read (${message}): copy it from the server that made it, or name it with --authority-key`;
      throw new TtcsError("AUTHORITY", { detail }, { cause: error });
    }
  }
  const passphrase = randomBytes(KEY_BYTES).toString("hex");
  mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
  try {
    // Nobody else's file is written over: two servers that start at once share the first one's.
    writeFileSync(keyFile, `${passphrase}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return passphraseOf(keyFile, true);
    const detail = `its key file cannot be written (${(error as Error).message}): name another with --authority-key`;
    throw new TtcsError("AUTHORITY", { detail }, { cause: error });
  }
  return passphrase;
}

function checked(passphrase: string, keyFile: string): string {
  if (KEY_FORM.test(passphrase)) return passphrase;
  const detail = `${keyFile} is no key file: it must hold 64 hexadecimal digits`;
  throw new TtcsError("AUTHORITY", { detail });
}
