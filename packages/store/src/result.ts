/**
 * What a call of the store comes back with.
 *
 * A database that is gone is an ordinary event for those who keep clocks: it comes back as a value,
 * within a second, and never as a throw that somebody far away has to catch.
 */

/** The answer, or why there is none. */
export type StoreResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };
