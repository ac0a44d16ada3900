/**
 * The log of a daemon: JSON lines in the file that the manual names, reopened on SIGHUP.
 *
 * Warnings are limited, because strangers can cause them: of those that are alike some are written, then
 * one now and then, and the next one that is written says how many like it were not. Alike are warnings
 * that differ in numbers and quoted words only; so a flood of one kind does not hide another kind. All
 * kinds together are limited as well, because names are for others to choose.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Logger, type LoggerOptions, pino } from "pino";
import { Buckets } from "./buckets.ts";

/** Warnings that are alike: at once, and then per second. */
const ALIKE_BURST = 10;
const ALIKE_PER_S = 1 / 30;
/** All warnings: at once, and then per second. */
const WARNING_BURST = 60;
const WARNINGS_PER_S = 0.5;
/** Kinds are told apart by the beginning of their text (characters). */
const KIND_LENGTH = 60;
/** Kinds whose unwritten warnings are counted. */
const KINDS_MAX = 1_000;
/** pino's number for the level "warn". */
const WARN = 40;

/** Opens `logDir/name` (the folder is made when missing); without a folder, standard output. */
export function openLog(logDir: string, name: string): Logger {
  if (logDir === "") return pino(limitedWarnings());
  mkdirSync(logDir, { recursive: true });
  const destination = pino.destination({ dest: join(logDir, name), sync: true });
  process.on("SIGHUP", () => destination.reopen());
  return pino(limitedWarnings(), destination);
}

/** Options of a log whose warnings are limited; `nowMs` is a monotonic clock. */
export function limitedWarnings(nowMs = () => performance.now()): LoggerOptions {
  const alike = new Buckets(ALIKE_BURST, ALIKE_PER_S);
  const all = new Buckets(WARNING_BURST, WARNINGS_PER_S);
  const withheld = new Map<string, number>();
  return {
    hooks: {
      logMethod(args, method, level) {
        if (level !== WARN) {
          method.apply(this, args);
          return;
        }
        const at = args.findLastIndex((arg) => typeof arg === "string");
        const kind = kindOf(at < 0 ? "" : `${args[at]}`);
        const before = withheld.get(kind) ?? 0;
        if (!alike.take(kind, nowMs()) || !all.take("", nowMs())) {
          if (withheld.size < KINDS_MAX || before > 0) withheld.set(kind, before + 1);
          return;
        }
        withheld.delete(kind);
        if (before > 0) args[at] = `${args[at]} (${before} like it were not written)`;
        method.apply(this, args);
      },
    },
  };
}

/** What remains of a text without what may be somebody else's choice. */
const kindOf = (text: string): string =>
  text.replace(/"[^"]*"|[0-9a-f.:]*[0-9][0-9a-f.:]*/gi, "#").slice(0, KIND_LENGTH);
