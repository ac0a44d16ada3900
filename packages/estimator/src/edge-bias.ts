/**
 * Fixed biases of edges, learned from what loops contradict, and taken off the offsets.
 *
 * Problem: a path whose directions differ biases its edge for minutes. Weighing an outlier down
 * (`network.ts`) is right while most edges are clean, and wrong where every edge is biased a little;
 * it forgets from round to round; and whoever leaves or joins a solve makes the others jump.
 * Approach: two levels. What stays is told apart from what changes: each edge's apparent bias is
 * averaged (`edge-bias-memory.ts`), and the averages are explained by four worlds
 * (`edge-bias-prior.ts`, `edge-bias-posterior.ts`), weighed by their evidence
 * (`edge-bias-worlds.ts`). The biases expected then are taken off the offsets, and the solve weighs all edges by their noise alone. For
 * normal biases and noise this is the least-squares solution of all rounds together.
 *
 * It cannot see: what no loop contradicts, such as a host all of whose edges are biased alike. The
 * guaranteed bound holds that.
 */
import { assert } from "@ttcs/units";
import { type BiasInput, BiasMemory } from "./edge-bias-memory.ts";
import { type BiasVerdict, biasVerdict } from "./edge-bias-verdict.ts";
import { BiasWorlds } from "./edge-bias-worlds.ts";

/** When more than this share of the edges is new, it is another mesh. */
const MANY_NEW = 0.2;
/** Trust above which a first attempt takes an edge to be clean. */
const TRUSTED = 0.5;

/** See the module head. One for one mesh. */
export class EdgeBias {
  #memory = new BiasMemory(16, 64);
  #worlds = new BiasWorlds(this.#memory);
  #isCold = true;
  #reference = -1;
  /** What `#slots` are of. */
  #topology: object | undefined;
  /** Slot of each edge, and 1 or -1: whether it runs as the slot does. */
  #slots = new Int32Array(0);
  #signs = new Int8Array(0);
  #offsetNs = new Float64Array(0);
  #sigmaNs = new Float64Array(0);

  /** True before the first round: what it learns should be used in the same round. */
  get isCold(): boolean {
    return this.#isCold;
  }

  /** Weight of each world, 1 in all; 0 before they are known. */
  get weights(): Float64Array {
    return this.#worlds.weights;
  }

  /**
   * Offsets without the biases known so far, and the sigmas they should be weighed by: an edge whose
   * bias is not known yet does not count for more than it may be biased. The columns are reused.
   */
  adjust(input: BiasInput): { readonly offsetNs: Float64Array; readonly sigmaNs: Float64Array } {
    this.#place(input);
    const { removedNs, fresh } = this.#memory;
    for (let e = 0; e < input.edgeCount; e++) {
      const slot = this.#slots[e];
      this.#offsetNs[e] = input.offsetNs[e] - this.#signs[e] * removedNs[slot];
      const unknownNs2 = fresh[slot] === 1 ? this.#worlds.unknownNs2(slot) : 0;
      this.#sigmaNs[e] = Math.sqrt(input.sigmaNs[e] ** 2 + unknownNs2);
    }
    return { offsetNs: this.#offsetNs, sigmaNs: this.#sigmaNs };
  }

  /**
   * Learns from a round's solve; to be called after `adjust` with the same input.
   *
   * @param residualNs residual of the adjusted offsets (ns); NaN: not solved for
   * @param trust the solution's; 0: the edge took no part
   */
  learn(input: BiasInput, residualNs: Float64Array, trust: Float64Array): BiasVerdict {
    const memory = this.#memory;
    const wholeNs = new Float64Array(input.edgeCount);
    const trusted = new Uint8Array(memory.edgeCount);
    memory.turn();
    for (let e = 0; e < input.edgeCount; e++) {
      const slot = this.#slots[e];
      const apparentNs = this.#signs[e] * residualNs[e] + memory.removedNs[slot];
      wholeNs[e] = this.#signs[e] * apparentNs;
      trusted[slot] = trust[e] > TRUSTED ? 1 : 0;
      const sigmaNs = input.sigmaNs[e];
      if (!Number.isFinite(apparentNs) || !(sigmaNs > 0 && sigmaNs < Infinity)) continue;
      if (!memory.take(slot, apparentNs, sigmaNs, input.roundTripNs[e])) continue;
      memory.removedNs[slot] = 0;
      this.#worlds.renew(slot);
    }
    this.#isCold = false;
    this.#worlds.turn(trusted);
    return biasVerdict(wholeNs, input.sigmaNs, trust);
  }

  /**
   * Standard uncertainty of each row's x that comes from the biases (ns): what residuals show.
   * It does not become less from round to round.
   */
  hostSigmaNs(input: BiasInput): Float64Array {
    const out = new Float64Array(input.hostCount);
    const reference = this.#memory.hostRow(input.hosts[input.reference]);
    if (reference < 0) return out;
    const variances = this.#worlds.variancesNs2(reference);
    for (let i = 0; i < input.hostCount; i++) {
      const row = this.#memory.hostRow(input.hosts[i]);
      if (row >= 0) out[i] = Math.sqrt(variances[row]);
    }
    return out;
  }

  #place(input: BiasInput): void {
    if (input.topology !== undefined && input.topology === this.#topology) return;
    this.#topology = input.topology;
    if (this.#slots.length < input.edgeCount) {
      this.#slots = new Int32Array(input.edgeCount);
      this.#signs = new Int8Array(input.edgeCount);
      this.#offsetNs = new Float64Array(input.edgeCount);
      this.#sigmaNs = new Float64Array(input.edgeCount);
    }
    const reference = input.hosts[input.reference];
    let added = this.#memory.place(input, this.#slots, this.#signs);
    const isFull = added < 0;
    if (isFull) {
      this.#makeRoom(input);
      added = this.#memory.place(input, this.#slots, this.#signs);
      assert(added >= 0, "a memory is made large enough");
    }
    if (added === 0 && reference === this.#reference) return;
    this.#reference = reference;
    this.#memory.ground(reference);
    // What made sense of a mesh of other edges is forgotten; what each edge has measured stays.
    if (added > MANY_NEW * this.#memory.edgeCount) this.#worlds = new BiasWorlds(this.#memory);
    else if (isFull) this.#worlds.solve();
    this.#worlds.restart();
  }

  /** Makes room, and forgets edges that have not been seen for long. */
  #makeRoom(input: BiasInput): void {
    const kept: number[] = [];
    const before = this.#memory;
    this.#memory = before.renewed(
      2 * (before.hostCount + input.hostCount),
      2 * (before.edgeCount + input.edgeCount),
      kept,
    );
    this.#worlds.move(this.#memory, kept);
  }
}
