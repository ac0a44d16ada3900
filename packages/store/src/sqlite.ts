/**
 * The embedded engine: `node:sqlite` in a thread of its own, behind kysely's SQLite dialect.
 *
 * A disk that hangs, and a file that another process has locked, hold up whoever calls `node:sqlite`;
 * rounds must not wait for either. So statements go to a worker one by one and results come back. One
 * that was not begun in time is never begun: whoever sent it has counted it as failed by then.
 */
import { Worker } from "node:worker_threads";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { CALL_MS_MAX, patience } from "./attempt.ts";
import type { SqliteAnswer, SqliteJob } from "./sqlite-worker.ts";

/** From source and from the bundle the worker lies elsewhere. */
const fromSource = import.meta.url.endsWith(".ts");
const workerUrl = new URL(
  fromSource ? "./sqlite-worker.ts" : "./sqlite-worker.js",
  import.meta.url,
);

/** The dialect of a file; ":memory:" lives as long as the store. */
export const sqliteDialect = (path: string): Dialect => ({
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new SqliteWorkerDriver(path),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
});

/** One connection; kysely lends it to one at a time, so that no transaction is mixed with anything else. */
class SqliteWorkerDriver implements Driver {
  readonly #connection: SqliteThread;

  constructor(path: string) {
    this.#connection = new SqliteThread(path);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin"));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }

  destroy(): Promise<void> {
    return this.#connection.end();
  }
}

/** How much longer the caller waits (ms); what ends a transaction is always begun. */
function patienceMs(sql: string): number {
  const untilMs = patience.getStore();
  if (untilMs === undefined || sql === "commit" || sql === "rollback") return CALL_MS_MAX;
  return untilMs - performance.now();
}

type Waiting = PromiseWithResolvers<QueryResult<never>>;

/** The worker's end in this thread. */
class SqliteThread implements DatabaseConnection {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #count = 0;

  constructor(path: string) {
    this.#path = path;
  }

  executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const id = this.#count++;
    const answer: Waiting = Promise.withResolvers();
    this.#waiting.set(id, answer);
    const beginByNs = process.hrtime.bigint() + BigInt(Math.round(patienceMs(sql) * 1e6));
    const job: SqliteJob = { id, sql, parameters, beginByNs };
    this.#worker ??= this.#start();
    this.#worker.postMessage(job);
    return answer.promise;
  }

  // biome-ignore lint/correctness/useYield: rows are few; nobody streams them
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error("the embedded database does not stream");
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(workerUrl, { workerData: this.#path });
    // The store keeps no process alive that wants to end.
    worker.unref();
    worker.on("message", ({ id, ...answer }: SqliteAnswer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if ("reason" in answer) waiting?.reject(new Error(answer.reason));
      else waiting?.resolve(answer as QueryResult<never>);
    });
    // One that fails says so twice, and by then another may be at work.
    const fail = (error: Error) => {
      if (worker === this.#worker) this.#fail(error);
    };
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("the embedded database has ended")));
    return worker;
  }

  #fail(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
