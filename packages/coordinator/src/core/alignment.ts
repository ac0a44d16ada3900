/**
 * Brings all fits of a round to one physical instant.
 *
 * Every fit holds near the middle of its own window, on its owner's raw clock. To be compared they
 * are evaluated at one instant: a moment tau on the reference's raw clock, carried through the fits
 * breadth first, t_j = t_i + offset + freq (t_i - mid), which gives each host's raw clock at that
 * moment to about a microsecond. Evaluating a fit that far off costs freq x error, 1e-5 x 1 us, so
 * the network solve only has to spread what is left (Geng et al., NSDI 2018: the loop surplus).
 *
 * Frequencies are brought to logarithms, in which relative rates add up exactly; at 20 ppm the
 * plain sum would be off by 0.4 ppb.
 */
import type { EdgeFit } from "@ttcs/protocol";

/** Fits at one instant. Hosts are rows in the order of `hosts`; the reference is row 0. */
export interface Alignment {
  readonly hosts: readonly number[];
  /** Each host's raw clock at the instant: whole part (ns) ... */
  readonly baseRawNs: readonly bigint[];
  /** ... and the rest (ns), before the solve. */
  readonly restNs: Float64Array;
  readonly edgeCount: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** What the fit says about (to - from) beyond the rests above (ns). */
  readonly surplusNs: Float64Array;
  readonly sigmaNs: Float64Array;
  readonly belowBoundNs: Float64Array;
  readonly aboveBoundNs: Float64Array;
  /** 1e9 ln(1 + f): adds up along paths. */
  readonly logFreqPpb: Float64Array;
  readonly freqSigmaPpb: Float64Array;
}

const logPpb = (freqPpb: number): number => 1e9 * Math.log1p(freqPpb * 1e-9);
/** Back from the logarithm: the rate, minus one (ppb). */
export const fromLogPpb = (logFreqPpb: number): number => 1e9 * Math.expm1(logFreqPpb * 1e-9);

/** Aligns `fits` at `refRawNs` of host `reference`. Hosts that no fit reaches are left out. */
export function alignFits(
  reference: number,
  refRawNs: bigint,
  fits: readonly EdgeFit[],
): Alignment {
  const { hosts, row, baseRawNs, rest } = reach(reference, refRawNs, fits);
  const used = fits.filter((f) => row.has(f.owner) && row.has(f.other));
  const n = used.length;
  const out = {
    hosts,
    baseRawNs,
    restNs: Float64Array.from(rest),
    edgeCount: n,
    from: new Int32Array(n),
    to: new Int32Array(n),
    surplusNs: new Float64Array(n),
    sigmaNs: new Float64Array(n),
    belowBoundNs: new Float64Array(n),
    aboveBoundNs: new Float64Array(n),
    logFreqPpb: new Float64Array(n),
    freqSigmaPpb: new Float64Array(n),
  };
  used.forEach((fit, e) => {
    const from = row.get(fit.owner)!;
    const to = row.get(fit.other)!;
    const ownerNs = rest[from] + Number(baseRawNs[from] - fit.ownerBaseRawNs);
    const otherNs = rest[to] + Number(baseRawNs[to] - fit.otherBaseRawNs);
    const awayS = (ownerNs - fit.midNs) * 1e-9;
    const slopeErrorNs = Math.abs(awayS) * fit.freqSigmaPpb;
    out.from[e] = from;
    out.to[e] = to;
    out.surplusNs[e] = otherAt(fit, ownerNs) - otherNs;
    out.sigmaNs[e] = Math.hypot(fit.offsetSigmaNs, slopeErrorNs);
    out.belowBoundNs[e] = fit.belowBoundNs + 4 * slopeErrorNs;
    out.aboveBoundNs[e] = fit.aboveBoundNs + 4 * slopeErrorNs;
    out.logFreqPpb[e] = logPpb(fit.freqPpb);
    out.freqSigmaPpb[e] = fit.freqSigmaPpb;
  });
  return out;
}

/** The other host's time (ns since its base) when the owner's shows `ownerNs`. */
function otherAt(fit: EdgeFit, ownerNs: number): number {
  return ownerNs + fit.offsetNs + fit.freqPpb * 1e-9 * (ownerNs - fit.midNs);
}

/** The inverse of `otherAt`. */
function ownerAt(fit: EdgeFit, otherNs: number): number {
  const f = fit.freqPpb * 1e-9;
  const sinceMidNs = (otherNs - fit.offsetNs - fit.midNs) / (1 + f);
  return fit.midNs + sinceMidNs;
}

interface Reach {
  readonly hosts: number[];
  readonly row: Map<number, number>;
  readonly baseRawNs: bigint[];
  readonly rest: number[];
}

function reach(reference: number, refRawNs: bigint, fits: readonly EdgeFit[]): Reach {
  const incident = new Map<number, EdgeFit[]>();
  for (const fit of fits) {
    for (const end of [fit.owner, fit.other]) {
      const list = incident.get(end);
      if (list) list.push(fit);
      else incident.set(end, [fit]);
    }
  }
  const found: Reach = {
    hosts: [reference],
    row: new Map([[reference, 0]]),
    baseRawNs: [refRawNs],
    rest: [0],
  };
  for (let i = 0; i < found.hosts.length; i++) {
    const here = found.hosts[i];
    for (const fit of incident.get(here) ?? []) {
      const forward = fit.owner === here;
      const there = forward ? fit.other : fit.owner;
      if (found.row.has(there)) continue;
      const zero = forward ? fit.ownerBaseRawNs : fit.otherBaseRawNs;
      const hereNs = found.rest[i] + Number(found.baseRawNs[i] - zero);
      found.row.set(there, found.hosts.length);
      found.hosts.push(there);
      found.baseRawNs.push(forward ? fit.otherBaseRawNs : fit.ownerBaseRawNs);
      found.rest.push(forward ? otherAt(fit, hereNs) : ownerAt(fit, hereNs));
    }
  }
  return found;
}
