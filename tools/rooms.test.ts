/**
 * Keeps the rooms apart: who may import whom, and what the pure rooms may not know.
 *
 * Reads the sources as text. Imports go to a lower rank only, by a package's public entry. Pure
 * rooms know no clock, timer, socket, randomness or async; their tests may.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

const ranks: Readonly<Record<string, number>> = {
  units: 0,
  protocol: 1,
  estimator: 1,
  discipline: 1,
  timestamper: 2,
  store: 2,
  agent: 3,
  coordinator: 3,
  portal: 4,
  console: 4,
  cli: 5,
};

/** Beside the ranks: imports what it simulates, and only tests and the CLI import it. */
const SIMULATOR = "simulator";

const pureFolders = ["units/src", "protocol/src", "estimator/src", "discipline/src"].concat(
  "agent/src/core",
  "coordinator/src/core",
);

const forbidden: readonly [RegExp, string][] = [
  [/from "node:/, "a module of Node"],
  [/\bDate\b|\bperformance\./, "a clock"],
  [/\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, "a timer"],
  [/Math\.random|\bcrypto\b/, "randomness"],
  [/\basync\b|\bawait\b|\bPromise\b/, "async"],
  [/\bprocess\.|\bBuffer\b|\bglobalThis\b/, "the process"],
  [/\bconsole\./, "the console"],
];

const isTest = (file: string) => /\.test\.ts$/.test(file);
const withoutComments = (text: string) =>
  text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");

/** All sources below packages, generated ones apart. */
const sources = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" })
  .filter((f) => /^[^/]+\/src\/.*\.ts$/.test(f) && !f.includes("/gen/") && !f.endsWith(".d.ts"))
  .map((file) => ({
    file,
    room: file.split("/")[0],
    text: withoutComments(readFileSync(join(root, "packages", file), "utf8")),
  }));

const importsOf = (text: string) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((m) => m[1]);

/** Why `room` may not import `target`; undefined: it may. */
function importFault(room: string, target: string, fromTest: boolean): string | undefined {
  if (target === SIMULATOR) {
    return fromTest || room === "cli" || room === SIMULATOR
      ? undefined
      : "the simulator is no room";
  }
  if (!(target in ranks)) return `unknown room ${target}`;
  if (room === SIMULATOR) return ranks[target] < ranks.cli ? undefined : "above the simulator";
  return ranks[target] < ranks[room]
    ? undefined
    : `rank ${ranks[room]} imports rank ${ranks[target]}`;
}

test("there are sources to look at, and every room has a rank", () => {
  expect(sources.length).toBeGreaterThan(40);
  for (const { room } of sources) expect([...Object.keys(ranks), SIMULATOR]).toContain(room);
});

test("imports go downward only, by a package's public entry", () => {
  const faults: string[] = [];
  for (const { file, room, text } of sources) {
    for (const target of importsOf(text)) {
      if (target.startsWith(".")) {
        const from = join(root, "packages", file, "..");
        const inside = relative(join(root, "packages", room), join(from, target));
        if (inside.startsWith("..")) faults.push(`${file}: ${target} reaches into another room`);
        continue;
      }
      const [, name, entry] = /^@ttcs\/([^/]+)(?:\/(.+))?$/.exec(target) ?? [];
      if (!name || name === room) continue;
      const fault = importFault(room, name, isTest(file));
      if (fault) faults.push(`${file}: ${target}: ${fault}`);
      if (entry) {
        const { exports } = JSON.parse(
          readFileSync(join(root, "packages", name, "package.json"), "utf8"),
        );
        if (!exports[`./${entry}`]) faults.push(`${file}: ${target} is no public entry`);
      }
    }
  }
  expect(faults).toEqual([]);
});

test("the shells know the cores, never the other way round", () => {
  const faults = sources
    .filter(({ file }) => /\/src\/core\//.test(file))
    .flatMap(({ file, text }) =>
      importsOf(text)
        .filter((target) => target.includes("/shell/"))
        .map((target) => `${file}: ${target}`),
    );
  expect(faults).toEqual([]);
});

test("pure rooms know no clock, timer, socket, randomness or async", () => {
  const faults: string[] = [];
  for (const { file, text } of sources) {
    if (isTest(file) || !pureFolders.some((folder) => file.startsWith(`${folder}/`))) continue;
    for (const [pattern, what] of forbidden) {
      const line = text.split("\n").findIndex((l) => pattern.test(l));
      if (line >= 0) faults.push(`${file}:${line + 1} knows ${what}`);
    }
  }
  expect(faults).toEqual([]);
});

test("no source file has more than 600 lines", () => {
  const long = sources.filter(({ text }) => text.split("\n").length > 600).map(({ file }) => file);
  expect(long).toEqual([]);
});
