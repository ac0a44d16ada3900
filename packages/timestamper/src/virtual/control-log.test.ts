import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ControlLog, ControlLogReader, controlLogPath } from "./control-log.ts";
import type { ControlWrite } from "./timeline.ts";

const FIRST: ControlWrite = { rawNs: 123456789012345678n, kind: "frequency", value: -12.5 };
const SECOND: ControlWrite = { rawNs: 123456789012345679n, kind: "step", value: 1e6 };

describe("the control log", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ttcs-log-"));
    path = controlLogPath(join(folder, "not", "yet"), 4);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("keeps writes for whoever opens it next", () => {
    const log = new ControlLog(path);
    log.append(FIRST);
    log.append(SECOND);
    const again = new ControlLog(path);
    expect(again.past).toEqual([FIRST, SECOND]);
    log.close();
    again.close();
  });

  test("a torn last line is ignored and cut off by the next writer", () => {
    const log = new ControlLog(path);
    log.append(FIRST);
    log.close();
    appendFileSync(path, '{"rawNs":"123","kind":"st');
    expect(new ControlLogReader(path).readOn()).toEqual([FIRST]);
    const again = new ControlLog(path);
    expect(again.past).toEqual([FIRST]);
    again.append(SECOND);
    again.close();
    expect(new ControlLogReader(path).readOn()).toEqual([FIRST, SECOND]);
  });

  test("a reader goes on where it stopped, also in the middle of a line", () => {
    const reader = new ControlLogReader(path);
    expect(reader.readOn()).toEqual([]);
    const log = new ControlLog(path);
    log.append(FIRST);
    expect(reader.readOn()).toEqual([FIRST]);
    log.append(SECOND);
    log.close();
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, whole.slice(0, -5));
    expect(reader.readOn()).toEqual([]);
    appendFileSync(path, whole.slice(-5));
    expect(reader.readOn()).toEqual([SECOND]);
    expect(reader.readOn()).toEqual([]);
  });

  test.each([
    "nonsense",
    "null",
    '{"rawNs":"1","kind":"jump","value":1}',
    '{"rawNs":"1","kind":"toString","value":1}',
    '{"rawNs":1}',
  ])("a whole line that is no write is refused: %s", (line) => {
    new ControlLog(path).close();
    writeFileSync(path, `${line}\n`);
    expect(() => new ControlLog(path)).toThrow("is no write to a clock");
  });
});
