/**
 * The log of a daemon: JSON lines in the file that the manual names, reopened on SIGHUP.
 *
 * Warnings are limited, because strangers can cause them: after a burst, one a second, and the next
 * one that is written says how many were not.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Logger, type LoggerOptions, pino } from "pino";
import { Buckets } from "./buckets.ts";

const WARNING_BURST = 20;
const WARNINGS_PER_S = 1;
/** pino's number for the level "warn". */
const WARN = 40;

/** Opens `logDir/name` (the folder is made when missing); without a folder, standard output. */
export function openLog(logDir: string, name: string): Logger {
  if (logDir === "") return pino(limited());
  mkdirSync(logDir, { recursive: true });
  const destination = pino.destination({ dest: join(logDir, name), sync: true });
  process.on("SIGHUP", () => destination.reopen());
  return pino(limited(), destination);
}

function limited(): LoggerOptions {
  const bucket = new Buckets(WARNING_BURST, WARNINGS_PER_S);
  let withheld = 0;
  return {
    hooks: {
      logMethod(args, method, level) {
        if (level === WARN && !bucket.take("", performance.now())) {
          withheld++;
          return;
        }
        method.apply(this, args);
        if (level !== WARN || withheld === 0) return;
        method.apply(this, [`${withheld} warnings before this one were not written`]);
        withheld = 0;
      },
    },
  };
}
