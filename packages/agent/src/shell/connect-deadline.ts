/**
 * No connection that this process opens is waited for longer than a moment.
 *
 * Problem: where nothing answers at all, as behind a cut, the kernel repeats its first packet after 1, 2,
 * 4, 8, 16, 32 s and gives up after two minutes. The gRPC library waits for the kernel, and what it has
 * given up it leaves to the kernel, too: a link that is whole again would stay unused for half a minute.
 * Approach: every socket that connects has a deadline; whoever wants the connection hears of it as of any
 * other failure and tries anew, with a first packet at once.
 *
 * The library opens its sockets by itself; `net.client.socket` of `node:diagnostics_channel` tells of
 * them. It cannot see: connections that are open and carry nothing. Those who use them watch that.
 */
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** Twice the kernel's first wait would be 2 s; a lost first packet is repeated once (ms). */
export const CONNECT_MS = 1_500;

let isWatching = false;

/** From now on every connection of this process that is not open in time is given up. */
export function limitConnectTime(): void {
  if (isWatching) return;
  isWatching = true;
  subscribe("net.client.socket", (message) => limit((message as { socket: Socket }).socket));
}

function limit(socket: Socket): void {
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection within ${CONNECT_MS} ms`));
  }, CONNECT_MS);
  timer.unref();
  const done = () => clearTimeout(timer);
  socket.once("connect", done);
  socket.once("close", done);
}
