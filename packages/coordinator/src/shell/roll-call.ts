/** Says to the other servers that this one lives, and learns who else does. */
import type { Store } from "@ttcs/store";
import type { Fellows } from "../core/fellows.ts";

/** Beats of this server, and looks at those of the others, come this often (ms). */
const BEAT_MS = 1_000;

/** See the module head. */
export class RollCall {
  readonly #store: Store;
  readonly #id: string;
  readonly #fellows: Fellows;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;

  constructor(store: Store, id: string, fellows: Fellows) {
    this.#store = store;
    this.#id = id;
    this.#fellows = fellows;
  }

  /** @param address where agents reach this server, "host:port" */
  start(address: string): void {
    void this.#call(address);
    this.#timer = setInterval(() => void this.#call(address), BEAT_MS);
  }

  /** This server ends: the others need not find out by themselves. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#store.servers.remove(this.#id);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #call(address: string): Promise<void> {
    // One that hangs is not followed by more: the next beat comes soon enough.
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { servers } = this.#store;
    await servers.beat(this.#id, address);
    const list = await servers.list();
    const nowMs = performance.now();
    if (list.ok) this.#fellows.saw(list.value, nowMs);
    for (const { id, beat } of this.#fellows.forgotten(nowMs)) await servers.remove(id, beat);
    this.#isAsking = false;
  }
}
