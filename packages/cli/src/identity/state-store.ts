/** Where a server's state lies: the database that was named, or a file in the state folder. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openStore, type Store } from "@ttcs/store";
import { fail, reasonOf } from "../fail.ts";

/** Options that server and administration have in common. */
export interface StateOptions {
  /** URL of the database that several servers share; absent: one file in `stateDir`. */
  readonly database?: string;
  readonly stateDir: string;
  /** The file that opens the authority's key; absent: one in `stateDir`. */
  readonly authorityKey?: string;
}

/** Ends the process with one line when there is no place for state. */
export function openStateStore({ database, stateDir }: StateOptions): Store {
  if (database !== undefined) {
    try {
      return openStore(database);
    } catch (error) {
      fail(`--database: ${(error as Error).message}`);
    }
  }
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    accessSync(stateDir, constants.W_OK);
  } catch (error) {
    fail(`cannot keep state in ${stateDir} (${reasonOf(error)}); give a writable --state-dir`, 1);
  }
  return openStore(`sqlite:${join(stateDir, "server.db")}`);
}

/** The file that opens the authority's key. */
export const authorityKeyFile = ({ authorityKey, stateDir }: StateOptions): string =>
  authorityKey ?? join(stateDir, "authority.key");
