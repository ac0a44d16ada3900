/** The log of a daemon: JSON lines in the file that the manual names, reopened on SIGHUP. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Logger, pino } from "pino";

/** Opens `logDir/name` (the folder is made when missing); without a folder, standard output. */
export function openLog(logDir: string, name: string): Logger {
  if (logDir === "") return pino();
  mkdirSync(logDir, { recursive: true });
  const destination = pino.destination({ dest: join(logDir, name), sync: true });
  process.on("SIGHUP", () => destination.reopen());
  return pino(destination);
}
