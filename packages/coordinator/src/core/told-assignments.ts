/**
 * Remembers what each host was told of its neighbours, so that a deal tells only those it concerns.
 *
 * Of a thousand hosts a newcomer changes the edges of some ten. What was told on an earlier stream
 * counts for nothing: whoever came back has forgotten it.
 */
import { isSamePlace, isSameRun, type NeighbourView } from "./dealer.ts";
import type { Host } from "./host.ts";

interface Told {
  readonly connection: number | undefined;
  readonly reference: Host | undefined;
  readonly neighbours: readonly NeighbourView[];
  readonly generation: number;
}

/** See the module head. */
export class ToldAssignments {
  /** By host, so that one that is forgotten takes its entry along. */
  readonly #told = new WeakMap<Host, Told>();

  /** True when the host was told something on its stream of now. */
  knows(host: Host): boolean {
    return this.#told.get(host)?.connection === host.connection;
  }

  /**
   * Whether this says anything that the host was not told last; it counts as told then.
   *
   * @param generation of the keys for probes
   */
  isNews(
    host: Host,
    reference: Host | undefined,
    neighbours: readonly NeighbourView[],
    generation = 0,
  ): boolean {
    const { connection } = host;
    const before = this.#told.get(host);
    const isOld =
      before?.connection === connection &&
      before?.reference === reference &&
      before?.generation === generation &&
      before?.neighbours.length === neighbours.length &&
      neighbours.every((view, i) => isSame(view, before.neighbours[i]));
    if (isOld) return false;
    this.#told.set(host, { connection, reference, neighbours, generation });
    return true;
  }
}

const isSame = (a: NeighbourView, b: NeighbourView): boolean =>
  a.host === b.host &&
  a.owner === b.owner &&
  a.anchor === b.anchor &&
  (a.hello === b.hello || (isSamePlace(a.hello, b.hello) && isSameRun(a.hello, b.hello)));
