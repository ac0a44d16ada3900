/**
 * `npm run fuzz`: junk into everything that reads bytes from outside.
 *
 * The short form takes a minute and is part of every check; `--full` goes on for an hour and keeps what
 * reaches code that nothing before has reached. First of all come the inputs of the corpus: what has
 * broken something once. A finding is written there, and ends the run with status 1.
 */
import { availableParallelism } from "node:os";
import { corpus, keep, readCorpusFile } from "./corpus.ts";
import { type Cases, type Finding, Run } from "./engine.ts";
import { type FuzzOptions, fuzzOptions } from "./options.ts";
import { runAll } from "./pool.ts";
import { findingText, merged, tableOf } from "./table.ts";
import type { FuzzTarget } from "./target.ts";
import { targets } from "./targets/index.ts";

/** Threads at most; memory and noise grow with them. */
const THREADS_MAX = 2;
/** Cases of a target in the long form: more than fit into its time. */
const ENDLESS_CASES = 1e9;

/** Ends with one line. */
function refuse(line: string): never {
  process.stderr.write(`fuzz: ${line}\n`);
  process.exit(2);
}

/** Runs an input by itself; returns what it breaks. */
function tried(target: FuzzTarget, name: string, input: Uint8Array): readonly Finding[] {
  const alone = { ...target, seeds: [], mutate: () => input };
  return new Run(alone, { target: name, seed: 0, from: 0, to: 1 }).run().findings;
}

function replay(file: string): void {
  let read: ReturnType<typeof readCorpusFile>;
  try {
    read = readCorpusFile(file);
  } catch (error) {
    refuse(`--replay: ${(error as Error).message}`);
  }
  const make = read && targets[read.target];
  if (!read || !make) refuse(`--replay ${file}: its name is not TARGET-HASH.bin`);
  const found = tried(make(), read.target, read.input);
  for (const finding of found) console.log(findingText(finding, file));
  if (found.length === 0) console.log(`${file}: nothing is wrong with it any more`);
  process.exitCode = found.length > 0 ? 1 : 0;
}

/** Every input that broke something once; returns how many still do. */
function replayCorpus(names: readonly string[]): number {
  let broken = 0;
  for (const name of names) {
    const files = corpus(name);
    const target = files.length > 0 ? targets[name]() : undefined;
    for (const { file, input } of files) {
      for (const finding of tried(target!, name, input)) {
        broken++;
        console.log(findingText(finding, file));
      }
    }
  }
  return broken;
}

/** The work in parts: each target in as many as there are threads. */
function plan(
  { cases, seed, seconds, full }: FuzzOptions,
  names: readonly string[],
  threads: number,
): Cases[] {
  const share = seconds === undefined ? {} : { seconds: seconds / names.length };
  return names.flatMap((target) => {
    const all = cases ?? (full ? ENDLESS_CASES : targets[target]().cases);
    const parts = Math.min(threads, all);
    return Array.from({ length: parts }, (_, part) => ({
      target,
      seed,
      from: Math.floor((all * part) / parts),
      to: Math.floor((all * (part + 1)) / parts),
      guided: full,
      ...share,
    }));
  });
}

async function main(): Promise<void> {
  const names = Object.keys(targets);
  const options = fuzzOptions(process.argv.slice(2), names);
  if (typeof options === "string") refuse(options);
  if (options.replay !== undefined) return replay(options.replay);
  const chosen = options.target === undefined ? names : [options.target];
  let findings = replayCorpus(chosen);
  const threads = Math.min(THREADS_MAX, availableParallelism());
  const work = plan(options, chosen, threads);
  const total = work.reduce((sum, { from, to }) => sum + to - from, 0);
  const isTerminal = process.stderr.isTTY;
  const startMs = performance.now();
  const tallies = await runAll(work, threads, (done) => {
    if (!isTerminal) return;
    const seconds = (performance.now() - startMs) / 1e3;
    const of =
      options.seconds === undefined
        ? `${((100 * done) / total).toFixed(0)} %`
        : `of ${options.seconds} s`;
    process.stderr.write(
      `\r\x1b[K${done.toLocaleString("en-GB")} cases, ${seconds.toFixed(0)} s, ${of}`,
    );
  });
  if (isTerminal) process.stderr.write("\r\x1b[K");
  const all = merged(tallies);
  console.log(`fuzz, seed ${options.seed}, ${((performance.now() - startMs) / 1e3).toFixed(0)} s`);
  console.log(tableOf(all));
  for (const finding of all.flatMap((tally) => tally.findings)) {
    findings++;
    console.log(findingText(finding, keep(finding.target, finding.input)));
  }
  process.exitCode = findings > 0 ? 1 : 0;
}

await main();
