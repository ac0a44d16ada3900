/**
 * Remembers what each host was told of its neighbours, so that a deal tells only those it concerns.
 *
 * Of a thousand hosts a newcomer changes the edges of some ten. What was told on an earlier stream
 * counts for nothing: whoever came back has forgotten it.
 */
import type { Host } from "./host.ts";
import type { Body } from "./outbox.ts";

interface Told {
  readonly connection: number | undefined;
  readonly text: string;
}

/** See the module head. */
export class ToldAssignments {
  /** By host, so that one that is forgotten takes its entry along. */
  readonly #told = new WeakMap<Host, Told>();

  /** Whether `assignment` says anything that the host was not told last; it counts as told then. */
  isNews(host: Host, assignment: Body): boolean {
    const { connection } = host;
    const text = JSON.stringify(assignment.value);
    const before = this.#told.get(host);
    if (before && before.connection === connection && before.text === text) return false;
    this.#told.set(host, { connection, text });
    return true;
  }
}
