/**
 * Those who wait at a door, in a line for each address.
 *
 * One of each address comes in in turn, so that a crowd of one does not stand in others' way. What they
 * say while they wait is kept for later; it is read because nothing else tells that somebody has hung
 * up, and shaking hands with the dead would keep the living waiting until they hang up, too.
 */
import type { Socket } from "node:net";

/** What one who waits may have said (bytes): the first words of TLS have half a kilobyte. */
const HEARD_BYTES_MAX = 16_384;

interface Waiting {
  readonly socket: Socket;
  /** Leaves the socket as it was, with all that was heard still to be read. */
  readonly stop: () => void;
}

/** See the module head. */
export class DoorLine {
  /** The address that is next first. */
  readonly #lines = new Map<string, Waiting[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param left called when the socket is closed before its turn */
  push(socket: Socket, left: () => void): void {
    const address = socket.remoteAddress ?? "";
    const line = this.#lines.get(address);
    const waiting = { socket, stop: listen(socket, () => this.#drop(address, waiting, left)) };
    if (line) line.push(waiting);
    else this.#lines.set(address, [waiting]);
    this.#count++;
  }

  #drop(address: string, waiting: Waiting, left: () => void): void {
    const line = this.#lines.get(address);
    const place = line?.indexOf(waiting) ?? -1;
    if (!line || place < 0) return;
    line.splice(place, 1);
    if (line.length === 0) this.#lines.delete(address);
    this.#count--;
    left();
  }

  /** The next one whose address has room inside; undefined: nobody. */
  next(hasRoom: (address: string) => boolean): Socket | undefined {
    for (const [address, line] of this.#lines) {
      if (!hasRoom(address)) continue;
      const waiting = line.shift()!;
      this.#lines.delete(address);
      if (line.length > 0) this.#lines.set(address, line);
      this.#count--;
      waiting.stop();
      return waiting.socket;
    }
    return undefined;
  }

  /** Sends everybody away. */
  close(): void {
    for (const { socket } of [...this.#lines.values()].flat()) socket.destroy();
  }
}

function listen(socket: Socket, closed: () => void): () => void {
  const heard: Buffer[] = [];
  let bytes = 0;
  const hear = (chunk: Buffer) => {
    heard.push(chunk);
    bytes += chunk.length;
    if (bytes > HEARD_BYTES_MAX) socket.destroy();
  };
  socket.on("data", hear);
  socket.on("close", closed);
  socket.resume();
  return () => {
    socket.off("data", hear);
    socket.off("close", closed);
    socket.pause();
    if (heard.length > 0 && !socket.destroyed) socket.unshift(Buffer.concat(heard));
  };
}
