/** Other hands on the clocks of a laboratory, as asked for on the command line. */
import type { ForeignWrite } from "@ttcs/timestamper";

/** What somebody else does to the clock of one host. */
export interface ForeignHand {
  /** The host, by its id. */
  readonly host: string;
  /** Since the laboratory began (s). */
  readonly atS: number;
  readonly write: ForeignWrite;
}

const FORM = /^(h\d+)@(\d+(?:\.\d+)?):(slew|step|setting)=(-?\d+(?:\.\d+)?)$/;
/** The kernel's limit for frequencies (ppm). */
const LIMIT_PPM = 500;

/**
 * Reads `h3@30:slew=200` (ppm, a lasting change of rate; 0 ends it), `h3@30:step=-5` (ms) or
 * `h3@30:setting=10` (ppm, overwrites the frequency setting as another daemon would).
 *
 * @throws Error with what is wrong, for the command line
 */
export function parseForeign(text: string): ForeignHand {
  const parts = FORM.exec(text);
  if (parts === null) {
    throw new Error("give HOST@SECONDS:slew=PPM, :step=MS or :setting=PPM, such as h3@30:slew=200");
  }
  const [, host, seconds, kind, amount] = parts;
  return { host, atS: Number(seconds), write: writeOf(kind, Number(amount)) };
}

function writeOf(kind: string, value: number): ForeignWrite {
  if (kind === "step") return { kind: "step", stepNs: value * 1e6 };
  if (Math.abs(value) > LIMIT_PPM) throw new Error(`give a ${kind} within ${LIMIT_PPM} ppm`);
  if (kind === "slew") return { kind: "rate", ratePpb: value * 1e3 };
  return { kind: "setting", freqPpb: value * 1e3 };
}
