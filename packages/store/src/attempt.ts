/**
 * Turns a call of the database into a result that is there within a second.
 *
 * The tables are made by the first call that reaches the database, so a server may start before its
 * database does. A call that hangs is given up: what it did comes to light by reading. The engines
 * below give each its own limit, too, and one that has waited for longer than that behind others is not
 * begun any more.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { StoreResult } from "./result.ts";

/** A call that takes longer counts as failed (ms): renewals are due once a second. */
export const CALL_MS_MAX = 1_000;

/** Until when somebody waits for the call that is being made (`performance.now`). */
export const patience = new AsyncLocalStorage<number>();

/** Runs a call and says what came of it. */
export type Attempt = <T>(call: () => Promise<T>) => Promise<StoreResult<T>>;

/** @param prepare makes the tables; called again until it succeeds */
export function attempts(prepare: () => Promise<void>): Attempt {
  let prepared: Promise<void> | undefined;
  const ready = () => {
    prepared ??= prepare().catch((error) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };
  return async (call) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the database did not answer within ${CALL_MS_MAX / 1000} s`)),
        CALL_MS_MAX,
      );
    });
    const patientMs = performance.now() + CALL_MS_MAX;
    const answer = () => patience.run(patientMs, call);
    try {
      return { ok: true, value: await Promise.race([ready().then(answer), late]) };
    } catch (error) {
      return { ok: false, reason: reasonOf(error) };
    } finally {
      clearTimeout(timer);
    }
  };
}

/** What went wrong in words; where several addresses were tried, the first failure. */
function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}
