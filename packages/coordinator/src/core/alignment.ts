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
import { type Graph, type Incidence, incidenceOf } from "@ttcs/estimator";
import type { MeshFit } from "./fits.ts";

/**
 * Fits at one instant. Hosts are rows in the order of `hosts`; the reference is row 0. The columns
 * are the aligner's, good until it aligns the next round.
 */
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
  /** The part of it that is independent of the rounds before (ns). */
  readonly freshSigmaNs: Float64Array;
  /** Uncertainty of each host's own stamps, which all its edges share (ns). */
  readonly carrySigmaNs: Float64Array;
  readonly belowBoundNs: Float64Array;
  readonly aboveBoundNs: Float64Array;
  /** 1e9 ln(1 + f): adds up along paths. */
  readonly logFreqPpb: Float64Array;
  readonly freqSigmaPpb: Float64Array;
}

/** 1e9 ln(1 + f). */
export const logPpb = (freqPpb: number): number => 1e9 * Math.log1p(freqPpb * 1e-9);
/** Back from the logarithm: the rate, minus one (ppb). */
export const fromLogPpb = (logFreqPpb: number): number => 1e9 * Math.expm1(logFreqPpb * 1e-9);

/** The mesh that a round's fits span: which host and edge has which row, and how to walk it. */
export interface MeshRows {
  readonly reference: number;
  readonly hosts: readonly number[];
  readonly rowOf: ReadonlyMap<number, number>;
  readonly graph: Graph;
  readonly incidence: Incidence;
  /** Place of each edge's fit among the round's. */
  readonly fitOf: Int32Array;
  /** Edge by which the breadth-first walk reached each row; -1 for the reference. */
  readonly treeEdge: Int32Array;
}

/**
 * Aligns round after round. As long as the same edges bring a fit in the same order, rows stay: then
 * a round is one walk over the fits without a look-up.
 */
export class Aligner {
  /** Ends of the last round's fits, two by two. */
  #ends = new Float64Array(0);
  #mesh: MeshRows | undefined;
  #columns: Columns | undefined;

  /** The mesh of the last round; the same object as long as nothing has changed. */
  get mesh(): MeshRows | undefined {
    return this.#mesh;
  }

  /** Aligns `fits` at `refRawNs` of host `reference`. Hosts that no fit reaches are left out. */
  align(reference: number, refRawNs: bigint, fits: readonly MeshFit[]): Alignment {
    let mesh = this.#mesh;
    let out = this.#columns;
    if (!mesh || !out || mesh.reference !== reference || !this.#isAsBefore(fits)) {
      mesh = meshOf(reference, fits);
      out = newColumns(mesh);
      this.#mesh = mesh;
      this.#columns = out;
    }
    const baseRawNs = this.#carry(mesh, out.restNs, refRawNs, fits);
    const { from, to, edgeCount } = mesh.graph;
    for (let e = 0; e < edgeCount; e++) {
      const fit = fits[mesh.fitOf[e]];
      const ownerNs = out.restNs[from[e]] + apartNs(baseRawNs[from[e]], fit.ownerBaseRawNs);
      const otherNs = out.restNs[to[e]] + apartNs(baseRawNs[to[e]], fit.otherBaseRawNs);
      const { freqPpb, freqSigmaPpb } = fit;
      const awayNs = ownerNs - fit.midNs;
      const slopeErrorNs = Math.abs(awayNs) * 1e-9 * freqSigmaPpb;
      const freshNs = rootSum(fit.offsetSigmaNs, slopeErrorNs);
      // The other host's time when the owner's shows `ownerNs`, as `otherAt`.
      out.surplusNs[e] = ownerNs + fit.offsetNs + freqPpb * 1e-9 * awayNs - otherNs;
      out.freshSigmaNs[e] = freshNs;
      out.sigmaNs[e] = rootSum(freshNs, fit.slowSigmaNs);
      out.belowBoundNs[e] = fit.belowBoundNs + 4 * slopeErrorNs;
      out.aboveBoundNs[e] = fit.aboveBoundNs + 4 * slopeErrorNs;
      out.logFreqPpb[e] = logPpb(freqPpb);
      out.freqSigmaPpb[e] = freqSigmaPpb;
    }
    claimCarries(mesh, fits, out.carrySigmaNs);
    return { ...out, hosts: mesh.hosts, baseRawNs, edgeCount, from, to };
  }

  /** Carries the instant from host to host along the tree; returns the hosts' bases. */
  #carry(
    { treeEdge, graph, fitOf }: MeshRows,
    restNs: Float64Array,
    refRawNs: bigint,
    fits: readonly MeshFit[],
  ): bigint[] {
    const baseRawNs: bigint[] = [refRawNs];
    restNs[0] = 0;
    for (let row = 1; row < treeEdge.length; row++) {
      const e = treeEdge[row];
      const fit = fits[fitOf[e]];
      const forward = graph.to[e] === row;
      const here = forward ? graph.from[e] : graph.to[e];
      const zero = forward ? fit.ownerBaseRawNs : fit.otherBaseRawNs;
      const hereNs = restNs[here] + apartNs(baseRawNs[here], zero);
      baseRawNs.push(forward ? fit.otherBaseRawNs : fit.ownerBaseRawNs);
      restNs[row] = forward ? otherAt(fit, hereNs) : ownerAt(fit, hereNs);
    }
    return baseRawNs;
  }

  /** Whether these fits are of the same edges as the last round's; remembers them. */
  #isAsBefore(fits: readonly MeshFit[]): boolean {
    const ends = this.#ends;
    if (ends.length === 2 * fits.length) {
      let i = 0;
      while (
        i < fits.length &&
        fits[i].owner === ends[2 * i] &&
        fits[i].other === ends[2 * i + 1]
      ) {
        i++;
      }
      if (i === fits.length) return true;
    }
    this.#ends = new Float64Array(2 * fits.length);
    fits.forEach(({ owner, other }, i) => {
      this.#ends[2 * i] = owner;
      this.#ends[2 * i + 1] = other;
    });
    return false;
  }
}

type Columns = Omit<Alignment, "hosts" | "baseRawNs" | "edgeCount" | "from" | "to">;

function newColumns({ graph: { hostCount, edgeCount } }: MeshRows): Columns {
  return {
    restNs: new Float64Array(hostCount),
    surplusNs: new Float64Array(edgeCount),
    sigmaNs: new Float64Array(edgeCount),
    freshSigmaNs: new Float64Array(edgeCount),
    carrySigmaNs: new Float64Array(hostCount),
    belowBoundNs: new Float64Array(edgeCount),
    aboveBoundNs: new Float64Array(edgeCount),
    logFreqPpb: new Float64Array(edgeCount),
    freqSigmaPpb: new Float64Array(edgeCount),
  };
}

/**
 * What hosts say of the carry of their own stamps. Only of one that owns no edge its neighbours are
 * believed: nobody shall make another host's stamps look bad.
 */
function claimCarries({ graph, fitOf }: MeshRows, fits: readonly MeshFit[], out: Float64Array) {
  out.fill(-1);
  for (let e = 0; e < graph.edgeCount; e++) {
    const own = graph.from[e];
    out[own] = Math.max(out[own], fits[fitOf[e]].ownerCarrySigmaNs);
  }
  for (let e = 0; e < graph.edgeCount; e++) {
    const other = graph.to[e];
    // Below 0: by neighbours alone so far.
    if (out[other] < 0) out[other] = Math.min(out[other], -1 - fits[fitOf[e]].otherCarrySigmaNs);
  }
  for (let row = 0; row < out.length; row++) if (out[row] < 0) out[row] = -1 - out[row];
}

/** Root of the sum of two squares; both are far from the ends of a double's range. */
const rootSum = (a: number, b: number): number => Math.sqrt(a * a + b * b);

/** `later - earlier` of two instants within 292 years (ns); mostly they are the same window's base. */
const apartNs = (later: bigint, earlier: bigint): number =>
  later === earlier ? 0 : Number(BigInt.asIntN(64, later - earlier));

/** The other host's time (ns since its base) when the owner's shows `ownerNs`. */
function otherAt(fit: MeshFit, ownerNs: number): number {
  return ownerNs + fit.offsetNs + fit.freqPpb * 1e-9 * (ownerNs - fit.midNs);
}

/** The inverse of `otherAt`. */
function ownerAt(fit: MeshFit, otherNs: number): number {
  const f = fit.freqPpb * 1e-9;
  const sinceMidNs = (otherNs - fit.offsetNs - fit.midNs) / (1 + f);
  return fit.midNs + sinceMidNs;
}

/** Gives rows to all hosts that fits connect to the reference, breadth first. */
function meshOf(reference: number, fits: readonly MeshFit[]): MeshRows {
  const place = new Map<number, number>([[reference, 0]]);
  const placeOf = (host: number): number => {
    let found = place.get(host);
    if (found === undefined) {
      found = place.size;
      place.set(host, found);
    }
    return found;
  };
  const from = Int32Array.from(fits, (fit) => placeOf(fit.owner));
  const to = Int32Array.from(fits, (fit) => placeOf(fit.other));
  const numbers = [...place.keys()];
  const all = { hostCount: numbers.length, edgeCount: fits.length, from, to };
  const { start, edge, other } = incidenceOf(all);

  const order = new Int32Array(numbers.length);
  const row = new Int32Array(numbers.length).fill(-1);
  const treeFit = new Int32Array(numbers.length).fill(-1);
  let count = 1;
  row[0] = 0;
  for (let at = 0; at < count; at++) {
    for (let i = start[order[at]]; i < start[order[at] + 1]; i++) {
      const next = other[i];
      if (row[next] >= 0) continue;
      row[next] = count;
      treeFit[count] = edge[i];
      order[count++] = next;
    }
  }
  const fitOf = Int32Array.from(fits.keys()).filter((f) => row[from[f]] >= 0);
  const edgeOf = new Int32Array(fits.length);
  fitOf.forEach((f, e) => {
    edgeOf[f] = e;
  });
  const graph = {
    hostCount: count,
    edgeCount: fitOf.length,
    from: fitOf.map((f) => row[from[f]]),
    to: fitOf.map((f) => row[to[f]]),
  };
  const hosts = Array.from(order.subarray(0, count), (at) => numbers[at]);
  return {
    reference,
    hosts,
    rowOf: new Map(hosts.map((number, at) => [number, at])),
    graph,
    incidence: incidenceOf(graph),
    fitOf,
    treeEdge: treeFit.subarray(0, count).map((f) => (f < 0 ? -1 : edgeOf[f])),
  };
}
