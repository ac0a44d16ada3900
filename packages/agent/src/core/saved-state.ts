/**
 * What must outlive the agent's process: text of a file, out and in.
 *
 * Problem: a restart must neither step the clock nor forget a panic (CVE-2015-5300: a daemon that can
 * be restarted into trusting again), and a file may be cut off, old or foreign. Approach: one JSON
 * document with a checksum over its body; whatever does not fit is refused as a whole, with a reason.
 *
 * The learnt rate is worth something after a boot too; a line only on the boot that it was told on,
 * for the raw clock has another zero afterwards. The checksum finds damage, not a forger: whoever may
 * write the file may also write the clock.
 */
import { fromJson, toJson } from "@bufbuild/protobuf";
import { guardCorrection, type LedgerState } from "@ttcs/discipline";
import { type Correction, CorrectionSchema } from "@ttcs/protocol";
import { hashText, type RawNanos, rawNanos } from "@ttcs/units";
import { toSegment } from "./obedience.ts";
import { type Place, placeFromJson, placeToJson } from "./place.ts";

/** Changes when older agents could misread a file. */
const VERSION = 1;
/** A line that is older says nothing any more, its bound has grown to seconds (s). */
export const LINE_AGE_S_MAX = 86_400;
/** No crystal is further off (ppb). */
const BASE_LIMIT_PPB = 500_000;

/** See the module head. */
export interface SavedState {
  readonly bootId: string;
  /** Raw clock when it was saved. */
  readonly rawNs: RawNanos;
  readonly ledger: LedgerState | undefined;
  readonly panic: string | undefined;
  readonly term: bigint;
  readonly round: bigint;
  readonly lockedBefore: boolean;
  /** System clock minus the line then (ns); 0: not known. Our own hand had that to slew away yet. */
  readonly offsetNs: number;
  /** The correction in force, with its line. */
  readonly correction: Correction | undefined;
  /** Absent: none was dealt yet, or an older agent has saved. */
  readonly place?: Place;
}

/** The text of a state. */
export function formatState(state: SavedState): string {
  const { bootId, rawNs, ledger, panic, term, round, lockedBefore, offsetNs, correction, place } =
    state;
  const body = JSON.stringify({
    boot_id: bootId,
    raw_ns: String(rawNs),
    ...(ledger ? { ledger } : {}),
    ...(panic === undefined ? {} : { panic }),
    term: String(term),
    round: String(round),
    locked_before: lockedBefore,
    offset_ns: offsetNs,
    // The edges' verdicts are of the round, not of the line.
    ...(correction
      ? { correction: toJson(CorrectionSchema, { ...correction, edges: [], alarms: [] }) }
      : {}),
    ...(place ? { place: placeToJson(place) } : {}),
  });
  return `${JSON.stringify({ version: VERSION, checksum: hashText(body), body: JSON.parse(body) })}\n`;
}

/** A text read back, or why it is not believed. */
export type ReadState =
  | { readonly ok: true; readonly state: SavedState }
  | { readonly ok: false; readonly reason: string };

/** Reads a text; nothing of a damaged one is used. */
export function parseState(text: string): ReadState {
  try {
    const { version, checksum, body } = JSON.parse(text);
    if (version !== VERSION) {
      const said = typeof version === "number" ? `version ${version}` : "no version";
      return no(`${said} instead of ${VERSION}`);
    }
    if (checksum !== hashText(JSON.stringify(body))) return no("its checksum is wrong");
    return checked(body);
  } catch (error) {
    return no((error as Error).message);
  }
}

function checked(body: Record<string, unknown>): ReadState {
  const ledger = body.ledger as LedgerState | undefined;
  if (ledger && !isLedger(ledger)) return no("a learnt rate that no crystal can have");
  const panic = body.panic;
  const state: SavedState = {
    bootId: textOf(body.boot_id),
    rawNs: rawNanos(BigInt(textOf(body.raw_ns))),
    ledger,
    panic: panic === undefined ? undefined : textOf(panic),
    term: BigInt(textOf(body.term)),
    round: BigInt(textOf(body.round)),
    lockedBefore: body.locked_before === true,
    // An older agent does not say it.
    offsetNs: Number.isFinite(body.offset_ns) ? (body.offset_ns as number) : 0,
    correction: body.correction
      ? fromJson(CorrectionSchema, body.correction as never, { ignoreUnknownFields: true })
      : undefined,
    ...(body.place ? { place: placeFromJson(body.place) } : {}),
  };
  return { ok: true, state };
}

/** Anything else is no text, and may be so deep that making one of it takes for ever. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error("something else where a text belongs");
}

/** The same state, without a line that is of no use at `nowRawNs` on this boot. */
export function usable(state: SavedState, bootId: string, nowRawNs: RawNanos): SavedState {
  const { correction } = state;
  const ageS = Number(nowRawNs - state.rawNs) * 1e-9;
  const young = ageS >= 0 && ageS <= LINE_AGE_S_MAX && state.bootId === bootId;
  if (correction && young && isSound(state, correction)) return state;
  return { ...state, correction: undefined, lockedBefore: false };
}

/** Where the clock was when it was last saved. */
export type LeftOver = Pick<SavedState, "rawNs" | "offsetNs">;

/**
 * How far from its line our own hand may have left the clock by now (ns): what it had to slew away yet when
 * that was saved, and what the setting that stands has moved since. It is nobody's deed, and to step it
 * back would make a restart a licence to step.
 *
 * @param learntPpb rate that keeps pace; absent: nothing is learnt
 */
export function ownMoveNs(
  { rawNs, offsetNs }: LeftOver,
  settingPpb: number,
  learntPpb: number | undefined,
  nowRawNs: RawNanos,
): number {
  const slewPpb = learntPpb === undefined ? 0 : Math.abs(settingPpb - learntPpb);
  return Math.abs(offsetNs) + slewPpb * Number(nowRawNs - rawNs) * 1e-9;
}

/** The guard that judges messages judges what was read from a disk, too. */
function isSound(state: SavedState, correction: Correction): boolean {
  const nobody = { term: 0n, round: -1n, line: undefined, lockedBefore: false };
  const limits = { steers: true, jumpLimitNs: 0, ageS: 0, rawJumpNs: 0, basesPpb: [] };
  const { term, round, rawNs } = state;
  const segments = correction.segments.map(toSegment);
  const proposal = { ...correction, term, round, segments };
  return guardCorrection(proposal, { ...nobody, ...limits }, rawNs).ok;
}

function isLedger({ basePpb, learntS, accumulatedNs }: LedgerState): boolean {
  return Math.abs(basePpb) <= BASE_LIMIT_PPB && learntS >= 0 && Number.isFinite(accumulatedNs);
}

const no = (reason: string): ReadState => ({ ok: false, reason });
