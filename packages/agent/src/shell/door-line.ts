/**
 * Those who wait at a door, in a line for each address.
 *
 * One of each address comes in in turn, so that a crowd of one does not stand in others' way.
 */
import type { Socket } from "node:net";

/** See the module head. */
export class DoorLine {
  /** The address that is next first. */
  readonly #lines = new Map<string, Socket[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const line = this.#lines.get(address);
    if (line) line.push(socket);
    else this.#lines.set(address, [socket]);
    this.#count++;
  }

  /** The next one whose address has room inside; undefined: nobody. */
  next(hasRoom: (address: string) => boolean): Socket | undefined {
    for (const [address, line] of this.#lines) {
      if (!hasRoom(address)) continue;
      const socket = line.shift();
      this.#lines.delete(address);
      if (line.length > 0) this.#lines.set(address, line);
      this.#count--;
      return socket;
    }
    return undefined;
  }

  /** Sends everybody away. */
  close(): void {
    for (const line of this.#lines.values()) for (const socket of line) socket.destroy();
  }
}
