/** Prints an agent's answers for people. */
import type { AgentStatus, NeighbourStatus, NowStatus } from "@ttcs/agent";
import Table from "cli-table3";
import { harmless } from "../harmless.ts";
import { duration, signedDuration } from "../units-text.ts";

/** The status as a short page: verdict first, then figures, then neighbours. */
export function formatStatus(s: AgentStatus): string {
  const lines = [
    `host        ${s.host} (domain ${s.domain}, ${s.role})`,
    `state       ${s.state}${s.reason ? `: ${s.reason}` : ""}`,
    ...(s.advice ? [`to do       ${s.advice}`] : []),
    ...s.alarms.map((alarm) => `alarm       ${alarm}`),
    `reference   ${s.reference ?? "none yet"}${s.reference_has_source === false ? " (no time source: UTC is free-running)" : ""}`,
    `offset      ${signedDuration(s.offset_ns)} to domain time, sigma ${duration(s.sigma_ns)}`,
    `bound       ${duration(s.bound_ns)} to domain time, ${duration(s.utc_bound_ns)} to UTC`,
    ...(s.local_reference
      ? [`in region   ${duration(s.local_bound_ns)} to ${s.local_reference}, the local reference`]
      : []),
    `frequency   ${(s.freq_ppb / 1000).toFixed(3)} ppm${s.correct_clock ? "" : " (clock not steered)"}`,
    `correction  round ${s.round} of term ${s.term}, ${s.correction_age_s === null ? "none yet" : `${s.correction_age_s.toFixed(2)} s old`}`,
    `guard       ${guardLine(s.guard)}`,
    `why         ${s.why}; residual ${duration(s.residual_rms_ns)} rms`,
  ];
  return harmless(`${lines.join("\n")}\n${neighbourTable(s.neighbours)}`);
}

function guardLine(g: AgentStatus["guard"]): string {
  const moved =
    g.accumulated_ns === null
      ? "nothing learnt yet"
      : `moved by ${signedDuration(g.accumulated_ns)} of ${duration(g.accumulated_limit_ns)} in all`;
  return `${moved}; ${g.anchors_compared - g.anchors_contradicting} of ${g.anchors_compared} neighbours agree`;
}

/** One instant on all clocks. */
export function formatNow(n: NowStatus): string {
  const lines = [
    `kernel raw  ${n.kernel_monotonic_raw_ns} ns`,
    `system      ${n.system_ns} ns, within ${duration(n.bound_ns)} of domain time, ${duration(n.utc_bound_ns)} of UTC`,
    `domain      ${n.domain_ns ?? "unknown"} ns, within ${duration(n.domain_bound_ns)}, sigma ${duration(n.sigma_ns)}`,
    `state       ${n.state}`,
  ];
  return harmless(lines.join("\n"));
}

function neighbourTable(neighbours: readonly NeighbourStatus[]): string {
  const table = new Table({
    head: [
      "neighbour",
      "delay to",
      "delay from",
      "jitter",
      "loss",
      "kept",
      "residual",
      "weight",
      "remark",
    ],
    style: { head: [], border: [] },
  });
  for (const n of neighbours) {
    table.push([
      n.host,
      duration(n.delay_to_ns),
      duration(n.delay_from_ns),
      `${duration(n.jitter_to_ns)} / ${duration(n.jitter_from_ns)}`,
      `${percent(n.loss_to)} / ${percent(n.loss_from)}`,
      percent(n.kept_share),
      signedDuration(n.solve?.residual_ns),
      n.solve ? n.solve.weight.toFixed(2) : "-",
      n.distrust || (n.solve?.expelled ?? ""),
    ]);
  }
  return table.toString();
}

const percent = (share: number | null): string =>
  share === null ? "-" : `${(share * 100).toFixed(1)} %`;
