/**
 * Which of several servers an agent turns to: the one that it was sent to, else the next.
 *
 * Corrections come twice a second, so a leader that says nothing for `SILENT_NS` is no leader: the
 * agent turns to the next address. It cannot see who leads; it finds out by asking.
 */

/** A stream on which nothing has come for this long is given up (ns). */
export const SILENT_NS = 1.5e9;
/** A leader that has just begun lets all agents find it before it corrects anybody (ns). */
export const BEGIN_NS = 4e9;
/** A server that has not answered for this long is passed over (ns). */
export const FIRST_WORD_NS = 1e9;
/** From one try to the next (ns). */
const RETRY_NS = 100e6;
const RETRY_NS_MAX = 500e6;

/** See the module head. Servers by their place. */
export class Route {
  readonly #servers: number;
  #at: number;
  #waitNs = RETRY_NS;

  constructor(servers: number, first: number) {
    this.#servers = servers;
    this.#at = first % servers;
  }

  /** The server to turn to. */
  get server(): number {
    return this.#at;
  }

  /** A leader has taken the agent in. */
  arrived(): void {
    this.#waitNs = RETRY_NS;
  }

  /**
   * The stream has ended or could not be opened.
   *
   * @param to where the agent was sent; undefined: nowhere
   * @returns how long to wait before the next try (ns)
   */
  left(to: number | undefined): number {
    this.#at = to ?? (this.#at + 1) % this.#servers;
    const waitNs = this.#waitNs;
    this.#waitNs = Math.min(RETRY_NS_MAX, 1.5 * waitNs);
    return to === undefined ? waitNs : 0;
  }
}
