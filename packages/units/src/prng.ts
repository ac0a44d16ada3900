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
  readonly #s = new Uint32Array(4);

  /** @param seed any integer; only its low 32 bits count. */
  constructor(seed: number) {
    for (let i = 0; i < 4; i++) this.#s[i] = mix32(seed >>> 0, i + 1);
  }

  /** The next 32-bit word. */
  next(): number {
    const s = this.#s;
    const x = Math.imul(s[1], 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
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
