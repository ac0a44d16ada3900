import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTriples } from "../columns.ts";
import { VirtualSystemClock } from "./clock.ts";
import { controlLogPath } from "./control-log.ts";
import { FakeKernel, labOptions } from "./fake-kernel.ts";
import { appendForeign, type ForeignWrite, foreignPath } from "./foreign.ts";
import { virtualTruth } from "./truth.ts";

const SECOND = 1_000_000_000n;

describe("a foreign hand", () => {
  let folder: string;
  let kernel: FakeKernel;
  let clock: VirtualSystemClock;
  const lab = () => labOptions(folder);
  const look = () => clock.readTriples(1, createTriples(1));
  const write = (write: ForeignWrite) => appendForeign(folder, lab().index, write);
  /** How far the system clock gains on raw in the next second (ns). */
  const gainNs = (): number => {
    const before = clock.read();
    kernel.nowNs += SECOND;
    const after = clock.read();
    return Number(after.systemNs - before.systemNs - (after.rawNs - before.rawNs));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ttcs-foreign-"));
    kernel = new FakeKernel();
    clock = new VirtualSystemClock(lab(), kernel);
    look();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("slews the clock beside the setting, which does not show it, until it ends", () => {
    write({ kind: "rate", ratePpb: 300_000 });
    kernel.nowNs += SECOND;
    look();
    expect(Math.abs(gainNs() - 300_000)).toBeLessThan(1500);
    clock.adjustFrequency(-40_000);
    kernel.nowNs += SECOND;
    expect(Math.abs(gainNs() - 260_000)).toBeLessThanOrEqual(2);
    expect(clock.readStatus().freqPpb).toBe(-40_000);
    write({ kind: "rate", ratePpb: 0 });
    look();
    kernel.nowNs += SECOND;
    expect(Math.abs(gainNs() + 40_000)).toBeLessThanOrEqual(2);
  });

  test("steps it and makes the kernel forget how good it was", () => {
    clock.setErrors(1000, 1000, true);
    const before = clock.read();
    write({ kind: "step", stepNs: -3_000_000 });
    kernel.nowNs += SECOND;
    look();
    const after = clock.read();
    const movedNs = Number(after.systemNs - before.systemNs - (after.rawNs - before.rawNs));
    expect(Math.abs(movedNs + 3_000_000)).toBeLessThanOrEqual(2);
    expect(clock.readStatus().synchronised).toBe(false);
  });

  test("overwrites the setting itself, and ours overwrites it again", () => {
    clock.adjustFrequency(1000);
    write({ kind: "setting", freqPpb: 77_000 });
    kernel.nowNs += SECOND;
    look();
    expect(clock.readStatus().freqPpb).toBe(77_000);
    clock.adjustFrequency(1000);
    kernel.nowNs += SECOND;
    expect(Math.abs(gainNs() - 1000)).toBeLessThanOrEqual(2);
  });

  test("is looked for every 50 ms, and each deed is in the control log as its own kind", () => {
    write({ kind: "step", stepNs: 5 });
    look();
    const path = controlLogPath(folder, lab().index);
    expect(readFileSync(path, "utf8")).toBe("");
    kernel.nowNs += 51_000_000n;
    const { rawNs } = clock.read();
    look();
    const line = JSON.parse(readFileSync(path, "utf8"));
    expect(line).toMatchObject({ kind: "foreign-step", value: 5 });
    expect(Number(BigInt(line.rawNs) - rawNs)).toBeLessThan(10_000);
    const { kernelRawNs, systemNs } = clock.read();
    expect(virtualTruth(lab()).systemAt(kernelRawNs)).toBe(systemNs);
  });

  test("a line is done once, whatever becomes of the agent; one that came meanwhile is done late", () => {
    write({ kind: "step", stepNs: 1_000_000 });
    kernel.nowNs += SECOND;
    look();
    write({ kind: "step", stepNs: 1_000 });
    const before = clock.read();
    clock = new VirtualSystemClock(lab(), kernel);
    look();
    const after = clock.read();
    const movedNs = Number(after.systemNs - before.systemNs - (after.rawNs - before.rawNs));
    expect(Math.abs(movedNs - 1_000)).toBeLessThanOrEqual(2);
  });

  test("half a line waits for its end, and a whole one that is none is refused", () => {
    const path = foreignPath(folder, lab().index);
    appendFileSync(path, '{"kind":"step",');
    kernel.nowNs += SECOND;
    look();
    appendFileSync(path, '"stepNs":9000}\n');
    const before = clock.read();
    kernel.nowNs += SECOND;
    look();
    const after = clock.read();
    expect(after.systemNs - before.systemNs - (after.rawNs - before.rawNs)).toBeGreaterThan(8_990n);
    appendFileSync(path, '{"kind":"rate","ratePpb":"much"}\n');
    kernel.nowNs += SECOND;
    expect(look).toThrow("is no write of a foreign hand");
  });

  test("cannot ask for what no kernel does", () => {
    expect(() => write({ kind: "rate", ratePpb: 500_001 })).toThrow();
    expect(() => write({ kind: "step", stepNs: Number.NaN })).toThrow();
  });
});
