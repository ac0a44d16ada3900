/**
 * The thread that owns an embedded database file; see `sqlite.ts`.
 *
 * Write-ahead log with synchronous=FULL: what was answered survives the loss of power. A file that
 * cannot be opened is tried again with each statement.
 */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/** A statement on its way to the thread. */
export interface SqliteJob {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** Begun later than this, it would surprise whoever has given it up (`process.hrtime`). */
  readonly beginByNs: bigint;
}

/** What came of it. */
export type SqliteAnswer = { readonly id: number } & (
  | {
      readonly rows: readonly unknown[];
      readonly numAffectedRows?: bigint;
      readonly insertId?: bigint;
    }
  | { readonly reason: string }
);

/** Another process that writes the same file is waited for (ms): less than a caller waits. */
const BUSY_MS = 500;

let database: DatabaseSync | undefined;

function openDatabase(path: string): DatabaseSync {
  if (path !== ":memory:") {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Its owner's alone, and so will be the files that the engine puts beside it.
    closeSync(openSync(path, "a", 0o600));
  }
  const opened = new DatabaseSync(path);
  try {
    opened.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    opened.exec("PRAGMA journal_mode = WAL");
    opened.exec("PRAGMA synchronous = FULL");
  } catch (error) {
    opened.close();
    throw error;
  }
  return opened;
}

function answerTo({ id, sql, parameters, beginByNs }: SqliteJob): SqliteAnswer {
  if (process.hrtime.bigint() > beginByNs) return { id, reason: "the disk did not answer in time" };
  try {
    database ??= openDatabase(workerData as string);
    const statement = database.prepare(sql);
    const values = parameters as readonly SQLInputValue[];
    if (statement.columns().length > 0) return { id, rows: statement.all(...values) };
    const { changes, lastInsertRowid } = statement.run(...values);
    return {
      id,
      rows: [],
      numAffectedRows: BigInt(changes),
      insertId: BigInt(lastInsertRowid),
    };
  } catch (error) {
    return { id, reason: (error as Error).message };
  }
}

parentPort!.on("message", (job: SqliteJob) => parentPort!.postMessage(answerTo(job)));
