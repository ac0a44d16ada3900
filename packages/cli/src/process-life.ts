/** How the programs end: on a signal, or with the process that started them. */

/** Runs `close` once on SIGINT or SIGTERM, then ends. */
export function onEnd(close: () => void | Promise<void>): void {
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    await close();
    process.exit(0);
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}

/**
 * Keeps the process alive when the HTTP/2 library throws out of its own event handlers: a stream that
 * breaks at the wrong moment is the other end's doing and touches nobody else. Everything else ends
 * the process, as without this.
 */
export function surviveBrokenStreams(tell: (message: string) => void): void {
  process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
    if (!error.code?.startsWith("ERR_HTTP2_")) {
      console.error(error);
      process.exit(1);
    }
    tell(`a broken stream: ${error.message}`);
  });
}

/** Calls `quiet` when the parent asks for it: `{ quiet: true }` on the channel. No answer is given. */
export function onQuiet(quiet: () => void): void {
  process.on("message", (message: unknown) => {
    const asked = typeof message === "object" && message !== null && "quiet" in message;
    if (asked && message.quiet === true) quiet();
  });
}

/** Ends with status 0 when nobody reads standard output any more, as in `... | head -1`. */
export function endQuietlyWithoutReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

/** Ends when the parent dies, if it has opened a channel: no orphan outlives its laboratory. */
export function endWithParent(): void {
  if (!process.send) return;
  process.on("disconnect", () => process.exit(0));
  // It may have died before this was asked for: nobody tells that again.
  if (!process.connected) process.exit(0);
}
