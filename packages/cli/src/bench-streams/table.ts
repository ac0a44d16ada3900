/** What the benchmark of streams prints: figures, and the limits that were missed. */
import type { Spread } from "./figures.ts";
import type { Measured, StreamsPlan, StreamsResult } from "./run.ts";

/** Arrivals of 99 in 100 corrections are this near to the median of all (ms). */
const JITTER_LIMIT_MS = 50;
/** After a restart of the server all are served again within this (s). */
const BACK_LIMIT_S = 20;
/** Beside stalled readers: the server's memory (MB), the jitter, and how long they are borne (s). */
const STALLED_MEMORY_LIMIT_MB = 100;
const STALLED_JITTER_LIMIT = 1.1;
const STALLED_LIMIT_S = 30;
/** Jitter is compared no finer than this (ms): the timers of a process are no finer. */
const JITTER_GRAIN_MS = 1;
/** Corrections that did not come within their round (share). */
const MISSED_LIMIT = 0.01;

const ms = ({ p50, p99, max }: Spread): string =>
  `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`;
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const seconds = (s: number): string => (Number.isNaN(s) ? "never" : `${s.toFixed(1)} s`);

/** One stretch in lines. */
export function measuredText({ stretch, use }: Measured, agents: number): string {
  const { errorNs } = stretch;
  const lines = [
    `  corrections after the close   ${ms(stretch.afterCloseMs)}`,
    `  from the median of all        ${ms(stretch.jitterMs)}`,
    `  from each stream's own median ${ms(stretch.ownJitterMs)}`,
    `  the agents' last report left  ${ms(stretch.leftMs)} after the close`,
    `  jitter from then on           ${ms(stretch.sinceLeftJitterMs)}`,
    `  rounds missed                 ${percent(stretch.missedShare)} of ${stretch.corrections}; ` +
      `untrusted ${stretch.untrusted}, streams lost ${stretch.lostStreams}`,
    `  error of corrections          p50 ${errorNs.p50.toFixed(1)}, p99 ${errorNs.p99.toFixed(1)}, ` +
      `max ${errorNs.max.toFixed(1)} ns; outside of the bound ${stretch.outsideBound}`,
    `  server                        ${percent(use.cpu)} of a processor, ` +
      `${percent(use.cpu / agents)} per agent, ${use.memoryMb} MB; ` +
      `core and solve ${use.coreMsPerRound.toFixed(1)} ms a round`,
    `  agents' processes             ${percent(use.agentsCpu)}, all other programs ${percent(use.othersCpu)}`,
    ...stretch.refusals.map((reason) => `  refused: ${reason}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** All figures of a run. */
export function resultText(result: StreamsResult, plan: StreamsPlan): string {
  const { agents, stalled } = plan;
  const parts = [
    `all ${agents} enrolled ${seconds(result.enrolledAfterS)} after the start of their processes\n`,
    `all ${agents} served ${seconds(result.joinedAfterS)} after the start\n`,
    `undisturbed, ${plan.seconds} s (a correction counts from when its agent's process has it in hand):\n` +
      measuredText(result.calm, agents),
  ];
  if (result.stalled) {
    const { endedAfterS, logLines } = result.stalled;
    const ended = `the last ended after ${seconds(endedAfterS)}, ${logLines} lines in the log`;
    parts.push(`beside ${stalled} stalled readers (${ended}):\n`);
    parts.push(measuredText(result.stalled, agents));
  }
  if (result.restart) {
    const { listeningAfterS, halfBackAfterS, backAfterS, servedCount } = result.restart;
    parts.push(
      `killed and started again: listening after ${seconds(listeningAfterS)}, half of them ` +
        `back after ${seconds(halfBackAfterS)}, all after ${seconds(backAfterS)} ` +
        `(${servedCount} of ${agents})\n`,
    );
  }
  return parts.join("");
}

/** Limits that were missed, a line each; empty: none. */
export function missedLimits(result: StreamsResult): string[] {
  const missed: string[] = [];
  const limit = (what: string, value: number, most: number, unit: string) => {
    if (value <= most) return;
    const shown = Number.isNaN(value) ? "never" : `${value.toPrecision(3)}${unit}`;
    missed.push(`${what}: ${shown}, limit ${most}${unit}`);
  };
  const { calm, stalled, restart } = result;
  limit("all served after the start", result.joinedAfterS, BACK_LIMIT_S, " s");
  limit("jitter of corrections, p99", calm.stretch.jitterMs.p99, JITTER_LIMIT_MS, " ms");
  limit("rounds missed", 100 * calm.stretch.missedShare, 100 * MISSED_LIMIT, " %");
  limit("corrections outside of their bound", calm.stretch.outsideBound, 0, "");
  if (restart) limit("all back after a restart", restart.backAfterS, BACK_LIMIT_S, " s");
  if (!stalled) return missed;
  const calmMs = calm.stretch.jitterMs.p99;
  const mostMs = Math.max(STALLED_JITTER_LIMIT * calmMs, calmMs + JITTER_GRAIN_MS);
  const grownMb = stalled.use.memoryMb - calm.use.memoryMb;
  limit("jitter beside stalled readers, p99", stalled.stretch.jitterMs.p99, mostMs, " ms");
  limit("memory for stalled readers", grownMb, STALLED_MEMORY_LIMIT_MB, " MB");
  limit("stalled readers ended after", stalled.endedAfterS, STALLED_LIMIT_S, " s");
  limit("log lines missing of stalled readers", stalled.logLines > 0 ? 0 : 1, 0, "");
  return missed;
}
