/**
 * What the core tells of its work, so that the shell can put a cost on each part of it. The core
 * has no clock: it names a part when it begins and says when it is done.
 */

/** A part of the work of a round. */
export type Part = "exchange" | "fit";

/** Follows the work; parts may be nested, the innermost one counts. */
export interface Meter {
  begin(part: Part): void;
  end(): void;
}

/** Nobody counts. */
export const noMeter: Meter = { begin: () => {}, end: () => {} };
