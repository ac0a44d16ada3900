/**
 * Stops the program when its own reasoning is broken. Stays on in production: a daemon that
 * restarts is better than one that steers a clock by a contradiction. Never for input from outside.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
