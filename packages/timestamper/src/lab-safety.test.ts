/**
 * A laboratory must not be able to change the machine's clock. Two fences: what a laboratory host
 * holds has no such call, and the one file that does is imported by one other file only.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { KernelClockReader } from "./kernel/clock-reader.ts";
import { KernelSystemClock } from "./kernel/system-clock.ts";
import { openInstruments } from "./station.ts";
import { VirtualSystemClock } from "./virtual/clock.ts";
import { labOptions } from "./virtual/fake-kernel.ts";

const here = new URL(".", import.meta.url);
const sources = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((name) => ({ name, text: readFileSync(new URL(name, here), "utf8") }));
const namesWith = (pattern: RegExp): string[] =>
  sources
    .filter(({ text }) => pattern.test(text))
    .map(({ name }) => name)
    .sort();

describe("a laboratory", () => {
  test("holds a kernel clock that can only be read", () => {
    const calls = Object.getOwnPropertyNames(KernelClockReader.prototype).sort();
    expect(calls).toEqual(["constructor", "read", "readRaw", "readTriples"]);
  });

  test("shares no path with the calls that adjust the kernel's clock", () => {
    expect(namesWith(/libc\.clockAdjtime/)).toEqual(["kernel/system-clock.ts"]);
    expect(namesWith(/from "[^"]*system-clock\.ts"/)).toEqual(["station.ts"]);
    expect(namesWith(/clock_settime|clockSettime|"settimeofday"|"adjtimex"/)).toEqual([]);
  });

  test("opens a virtual clock over readings, and only a host without one opens the kernel's", () => {
    const stateDir = mkdtempSync(join(tmpdir(), "ttcs-safety-"));
    const options = { address: "127.0.0.1", port: 0, pacingSeed: 1 };
    const opened = [
      openInstruments({ ...options, lab: labOptions(stateDir) }),
      openInstruments(options),
    ];
    expect(opened.map(({ clock }) => clock.constructor)).toEqual([
      VirtualSystemClock,
      KernelSystemClock,
    ]);
    for (const { socket, clock } of opened) {
      socket.close();
      clock.close();
    }
    rmSync(stateDir, { recursive: true });
  });
});
