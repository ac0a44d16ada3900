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

/** Ends when the parent dies, if it has opened a channel: no orphan outlives its laboratory. */
export function endWithParent(): void {
  if (process.send) process.on("disconnect", () => process.exit(0));
}
