/** What a host tells the coordinator once a round. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type EdgeFit, HostState, type ReportSchema, type SourceLineSchema } from "@ttcs/protocol";
import type { Keeper } from "./keeper.ts";
import type { Standing } from "./standing.ts";

/**
 * A line that was corrected this short ago is where the fleet is, however little is known of it at the
 * moment (s): when delayed paths have made all bounds wide, domain time still goes on from the lines.
 */
const YOUNG_S = 60;

/** The report of a round. */
export function reportOf(
  fits: readonly EdgeFit[],
  source: MessageInitShape<typeof SourceLineSchema> | undefined,
  { verdict: { state, reason }, offsetNs = 0, boundNs, correctionAgeS = Infinity }: Standing,
  { line, obedience }: Keeper,
): MessageInitShape<typeof ReportSchema> {
  // A line that says less than the crystal alone is no line that domain time could go on from.
  const held = state === "FREERUN" && correctionAgeS > YOUNG_S ? undefined : line?.last;
  return {
    fits: [...fits],
    ...(source ? { source } : {}),
    state: HostState[state],
    reason,
    offsetNs,
    boundNs,
    ...(held ? { line: held, lineExcessPpb: obedience.excessPpb } : {}),
  };
}
