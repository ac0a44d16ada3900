/** Makes what breaks something smaller, as long as it breaks the same thing. After Zeller's ddmin (2002). */

/** Tries at most: a smaller input is a help, no need. */
const TRIES_MAX = 400;

/** The fewest of `parts` that still fail, as far as leaving out runs of them finds them. */
export function smallest<T>(
  parts: readonly T[],
  fails: (parts: readonly T[]) => boolean,
): readonly T[] {
  let best = parts;
  let tries = 0;
  // What breaks by itself is found at once.
  const last = parts.slice(-1);
  if (fails(last)) return last;
  for (let run = best.length >> 1; run >= 1; run >>= 1) {
    for (let at = 0; at < best.length && tries < TRIES_MAX; ) {
      const without = [...best.slice(0, at), ...best.slice(at + run)];
      tries++;
      if (without.length > 0 && fails(without)) best = without;
      else at += run;
    }
  }
  return best;
}

/** The same for the bytes of an input. */
export function shrunk(input: Uint8Array, fails: (input: Uint8Array) => boolean): Uint8Array {
  let best = input;
  let tries = 0;
  for (let run = best.length >> 1; run >= 1; run >>= 1) {
    for (let at = 0; at < best.length && tries < TRIES_MAX; ) {
      const without = new Uint8Array(best.length - Math.min(run, best.length - at));
      without.set(best.subarray(0, at));
      without.set(best.subarray(at + run), at);
      tries++;
      if (fails(without)) best = without;
      else at += run;
    }
  }
  return best;
}
