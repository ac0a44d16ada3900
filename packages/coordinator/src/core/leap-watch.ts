/**
 * Notices when the reference's raw clock leaves its course.
 *
 * Everybody's offset is counted from the reference. When one host's crystal jumps, its own filter refuses
 * the round; when the reference's does, all others seem to have jumped the other way at once. That many
 * crystals do the same in the same half second does not happen, so it was the reference, or all of its
 * paths. In such a round nobody is told anything; two in a row are enough to let another lead, while the
 * filters, which follow after four, still know where clocks were heading.
 *
 * It cannot see: a change so slow that filters follow it, some 50 ppb a second.
 */
import type { RoundResult } from "./solve.ts";

/** Rounds in a row that prove it. */
const ROUNDS = 2;
/** Out of so many others, this share must have left their course. */
const OTHERS_MIN = 2;
const SHARE = 0.75;

/** See the module head. */
export class LeapWatch {
  #rounds = 0;

  /** Looks at a round; says what was seen when it proves a leap. */
  look(result: RoundResult): { readonly suspicious: boolean; readonly proof?: string } {
    // The reference itself is always trusted; who contradicts the mesh is no witness.
    const refused = [...result.reasons.keys()].filter((host) => !result.out.has(host)).length;
    const others = refused + result.trusted.size - 1;
    const suspicious = others >= OTHERS_MIN && refused >= SHARE * others;
    this.#rounds = suspicious ? this.#rounds + 1 : 0;
    if (this.#rounds < ROUNDS) return { suspicious };
    this.#rounds = 0;
    const proof = `its raw clock has left its course against ${refused} of ${others} hosts at once`;
    return { suspicious, proof };
  }
}
