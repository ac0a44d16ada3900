/**
 * Seeded pseudo-random numbers for simulated clocks, links and pacing jitter.
 *
 * Integer arithmetic only, so that a seed gives the same world on every machine. The generator is
 * xoshiro128** (Blackman and Vigna, 2021); the hash is the finaliser of MurmurHash3. Not for
 * secrets.
 */

/** Mixes two 32-bit words into one; used to derive independent streams from one seed. */
export function mix32(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hashes a name to 32 bits (FNV-1a), to seed a stream by purpose. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A uniform number in (0, 1) from a 32-bit word. */
export const unitOf = (word: number): number => (word + 0.5) / 4294967296;

/** A stream of pseudo-random numbers. */
export class Prng {
  // Four signed words instead of a column: a simulation holds a stream for every link.
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any integer; only its low 32 bits count. */
  constructor(seed: number) {
    this.#a = mix32(seed >>> 0, 1) | 0;
    this.#b = mix32(seed >>> 0, 2) | 0;
    this.#c = mix32(seed >>> 0, 3) | 0;
    this.#d = mix32(seed >>> 0, 4) | 0;
  }

  /** The next 32-bit word. */
  next(): number {
    const b = this.#b;
    const x = Math.imul(b, 5);
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
  }

  /** Uniform in (0, 1). */
  uniform(): number {
    return unitOf(this.next());
  }

  /** Uniform in (low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Exponential with the given mean. */
  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }

  /** Standard normal (Box-Muller, one of the pair). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}
