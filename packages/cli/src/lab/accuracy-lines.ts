/** The part of a laboratory's summary that is about UTC, bounds, the slew and the count of probes. */
import { duration } from "../units-text.ts";
import type { LabSummary } from "./figures.ts";
import type { ReferencePull } from "./pull-track.ts";

/** Lines for people, to stand below the errors to domain time. */
export function accuracyLines(s: LabSummary): string[] {
  const { probes: p, worst_host: worst } = s;
  // Before that all figures but the shares are empty.
  const settled = s.seconds >= s.settled_after_s;
  const utc = settled
    ? `; |system - UTC| p50 ${duration(s.utc_error_ns.p50)}, max ${duration(s.utc_error_ns.max)}; bound p50 ${duration(s.utc_bound_ns.p50)}`
    : "";
  return [
    ...s.outside.map(
      (o) =>
        `OUTSIDE of its bound: ${o.id}, ${o.state}, at ${o.at_s.toFixed(1)} s: error ${duration(o.true_error_ns)}, bound ${duration(o.bound_ns)}`,
    ),
    ...(worst ? [`worst host: ${worst.id} with p99 ${duration(worst.true_error_p99_ns)}`] : []),
    ...(settled
      ? [
          `bound p50 ${duration(s.bound_ns.p50)}; 1.3 x half the round trip of the best path + 1 us: p50 ${duration(s.bound_limit_p50_ns)}; ${s.hosts_within_bound_limit} of ${s.hosts_with_bound_limit} hosts within theirs`,
        ]
      : []),
    `true UTC within the bound to UTC: ${percent(s.within_utc_bound_share)} of ${s.utc_samples} samples${utc}`,
    ...(s.reference_pull ? [pullLine(s.reference_pull)] : []),
    `probes: ${p.sent} sent, ${p.sent_stamped} of them stamped, ${p.received} received, ${p.injected_loss} lost on purpose, ${p.refused} refused; sent - received - lost - refused: ${p.balance}`,
  ];
}

function pullLine(pull: ReferencePull): string {
  const later = pull.later.map(({ after_s, ns }) => `${duration(ns)} after ${after_s} s`);
  const rate = pull.shrink_ns_per_s;
  return [
    `domain - the reference's system clock: ${duration(pull.before_ns)} before its slew (second ${pull.slew_from_s} to ${pull.slew_to_s}), ${duration(pull.just_after_ns)} just after`,
    ...later,
    ...(rate === null ? [] : [`shrinks by ${duration(rate)} a second`]),
  ].join(", ");
}

/** Rounded down, so that 100 % means all. */
const percent = (share: number | null): string =>
  share === null ? "-" : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
