import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { sizeDelimitedDecodeStream } from "@bufbuild/protobuf/wire";
import { type ExchangeFlush, ExchangeFlushSchema } from "@ttcs/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { flushRecorder } from "./recorder.ts";

describe("the recorder of an agent", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "ttcs-recorder-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const path = () => join(dir, "sub", "h7.flushes");
  const flushTo = (toHost: number): ExchangeFlush =>
    create(ExchangeFlushSchema, {
      fromHost: 7,
      toHost,
      baseRawNs: 5n,
      sent: { firstProbe: 4n, probeStep: [1], stampNs: [-9, 100_000_000] },
    });
  async function recorded(): Promise<ExchangeFlush[]> {
    const bytes = [readFileSync(path())];
    const source = (async function* () {
      yield* bytes;
    })();
    const flushes: ExchangeFlush[] = [];
    for await (const flush of sizeDelimitedDecodeStream(ExchangeFlushSchema, source)) {
      flushes.push(flush);
    }
    return flushes;
  }

  test("appends every flush, also after a restart", async () => {
    const first = flushRecorder(join(dir, "sub"), "h7");
    first(flushTo(1));
    first(flushTo(2));
    flushRecorder(join(dir, "sub"), "h7")(flushTo(3));
    expect(await recorded()).toEqual([flushTo(1), flushTo(2), flushTo(3)]);
  });

  test("what a kill has torn is cut off before anything follows", async () => {
    flushRecorder(join(dir, "sub"), "h7")(flushTo(1));
    const whole = readFileSync(path());
    for (const part of [1, 5, whole.length - 1]) {
      appendFileSync(path(), whole.subarray(0, part));
      flushRecorder(join(dir, "sub"), "h7");
      expect(readFileSync(path())).toEqual(whole);
    }
    flushRecorder(join(dir, "sub"), "h7")(flushTo(2));
    expect(await recorded()).toEqual([flushTo(1), flushTo(2)]);
  });

  test("does nothing unless a folder is given", () => {
    flushRecorder(undefined, "h7")(flushTo(1));
    flushRecorder("", "h7")(flushTo(1));
    expect(existsSync(path())).toBe(false);
  });
});
