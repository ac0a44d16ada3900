/**
 * Another network: a leaf and spine fabric whose queues are shared by all that pass them.
 *
 * A way from host to host leads over the host's own line, up to a spine and down again unless both
 * stand at one leaf, and down to the other host: two or four queues, each with its own other traffic
 * and shared with all probes that take it. That traffic comes in trains, now and then, at more than
 * the line takes, and the line serves at a constant rate: the queue is filled in straight lines and
 * emptied in straight lines. Lengths of trains are heavy-tailed.
 */
import type { Prng } from "@ttcs/units";

/** Trains come at this multiple of what the line takes. */
const TRAIN_RATE = 1.7;
/** Lengths of trains: Pareto from here on (ns), cut off, with this tail index. */
const TRAIN_NS_MIN = 3_000;
const TRAIN_NS_MAX = 300_000;
const TAIL = 1.6;
/** Mean of that (ns), by the integral of the cut law. */
const TRAIN_NS_MEAN = trainMeanNs();

function trainMeanNs(): number {
  const rest = (TRAIN_NS_MIN / TRAIN_NS_MAX) ** TAIL;
  const body = (TAIL / (TAIL - 1)) * TRAIN_NS_MIN ** TAIL;
  return (body * (TRAIN_NS_MIN ** (1 - TAIL) - TRAIN_NS_MAX ** (1 - TAIL))) / (1 - rest);
}

/** One line with its queue. Packets must come in order of time. */
export class SharedLine {
  readonly #random: Prng;
  readonly #pauseNs: number;
  #workNs = 0;
  #atNs = 0;
  #isTrain = false;
  #turnNs: number;

  /** @param load share of the line that other traffic takes (above 0, below 1) */
  constructor(random: Prng, load: number) {
    this.#random = random;
    this.#pauseNs = TRAIN_NS_MEAN * (TRAIN_RATE / load - 1);
    this.#turnNs = random.exponential(this.#pauseNs);
  }

  /** What a packet waits that comes at `atNs` (ns; exactly 0: nothing). */
  pass(atNs: number, ownNs: number): number {
    while (this.#turnNs <= atNs) {
      this.#flow(this.#turnNs);
      this.#isTrain = !this.#isTrain;
      this.#turnNs += this.#isTrain ? this.#trainNs() : this.#random.exponential(this.#pauseNs);
    }
    this.#flow(atNs);
    const waitNs = this.#workNs;
    this.#workNs += ownNs;
    return waitNs;
  }

  #flow(toNs: number): void {
    const slope = this.#isTrain ? TRAIN_RATE - 1 : -1;
    this.#workNs = Math.max(0, this.#workNs + slope * (toNs - this.#atNs));
    this.#atNs = toNs;
  }

  #trainNs(): number {
    const rest = (TRAIN_NS_MIN / TRAIN_NS_MAX) ** TAIL;
    return TRAIN_NS_MIN * (1 - this.#random.uniform() * (1 - rest)) ** (-1 / TAIL);
  }
}

/** One hop of a way: the line, and the time to the next one (ns). */
export interface Hop {
  readonly line: SharedLine;
  readonly onNs: number;
}

const HOSTS_PER_LEAF = 4;
const SPINES = 2;
/** Switch and cable behind a line (ns). */
const HOP_NS_MIN = 900;
const HOP_NS_MAX = 1_800;

/** All lines, and which of them a way takes. */
export class Fabric {
  readonly #up: Hop[] = [];
  readonly #down: Hop[] = [];
  readonly #toSpine: Hop[] = [];
  readonly #toLeaf: Hop[] = [];

  /** @param stream gives a stream of random numbers for a purpose */
  constructor(hosts: number, load: number, stream: (purpose: string) => Prng) {
    const hop = (name: string): Hop => {
      const random = stream(name);
      return { line: new SharedLine(random, load), onNs: random.between(HOP_NS_MIN, HOP_NS_MAX) };
    };
    for (let host = 0; host < hosts; host++) {
      this.#up.push(hop(`up ${host}`));
      // Both directions of a cable are as long as each other.
      this.#down.push({ ...hop(`down ${host}`), onNs: this.#up[host].onNs });
    }
    for (let i = 0; i < Math.ceil(hosts / HOSTS_PER_LEAF) * SPINES; i++) {
      this.#toSpine.push(hop(`to spine ${i}`));
      this.#toLeaf.push({ ...hop(`to leaf ${i}`), onNs: this.#toSpine[i].onNs });
    }
  }

  /** The hops from one host to another; both directions take the same spine. */
  way(from: number, to: number): readonly Hop[] {
    const [a, b] = [from, to].map((host) => Math.floor(host / HOSTS_PER_LEAF));
    if (a === b) return [this.#up[from], this.#down[to]];
    const spine = (from + to) % SPINES;
    return [
      this.#up[from],
      this.#toSpine[a * SPINES + spine],
      this.#toLeaf[b * SPINES + spine],
      this.#down[to],
    ];
  }
}
