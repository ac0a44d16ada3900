/**
 * The logarithm of a density from counts, as smooth as delays are.
 *
 * Problem: most of what delays tell of the offset lies where their density rises, and few of them lie
 * there. Averages over neighbouring bins either flatten the rise or keep its noise. Approach: counts
 * are Poisson, and the logarithms t of their density make a smooth curve over cells (`delay-cells.ts`),
 *
 *     maximise  sum (count t - exposure exp t)  -  SMOOTH / 2 sum (third difference of t)^2
 *
 * so that without any data a normal density is what it falls back to (B. Silverman, Ann. Statist.
 * 10(3), 1982; P. Eilers and B. Marx, Statistical Science 11(2), 1996). Newton's steps solve
 * equations with seven diagonals.
 *
 * A density that is probably alike may help: the first differences of the departure from it are
 * penalised as well. Where counts are many they prevail, however different the two are.
 */

/** Counts of cells; the first `length` count. */
export interface Counted {
  readonly length: number;
  readonly counts: Float64Array;
  /** What the density must be multiplied by to give the expected counts. */
  readonly exposures: Float64Array;
}

/** Weight of the third differences' squares, and of the first differences' of a departure. */
const SMOOTH = 50;
const ALIKE = 50;
/** Newton's steps at the most; the change, in sigmas of a count, that ends them; the largest. */
const STEPS = 8;
const STEP_END = 0.5;
const STEP_MAX = 2;
/** Added to the diagonal, where neither counts nor their neighbours say anything. */
const RIDGE = 1e-6;
/** Added to each count for a first curve: the logarithm of none is none. */
const COUNT_START = 0.5;
const THIRD = [-1, 3, -3, 1];
/** Entries of a row of the matrices: [i][i], [i][i - 1], [i][i - 2], [i][i - 3]. */
const DIAGONALS = 4;

/** Matrices of the penalties by their length: there are some tens of lengths. */
const smoothPenalties = new Map<number, Float64Array>();
const alikePenalties = new Map<number, Float64Array>();
let penalty: Float64Array = new Float64Array(0);
let matrix = new Float64Array(0);
let right = new Float64Array(0);
let pull = new Float64Array(0);
let expected = new Float64Array(0);

/** Fills `logs` with a first, rough curve. */
export function roughLogs({ length, counts, exposures }: Counted, logs: Float64Array): void {
  for (let i = 0; i < length; i++) logs[i] = Math.log((counts[i] + COUNT_START) / exposures[i]);
}

/**
 * Brings `logs`, from where they are, to the logarithms of the density.
 *
 * @param like logarithms of a density that is probably alike, up to a factor.
 */
export function smoothLogs(counted: Counted, logs: Float64Array, like?: Float64Array): void {
  const { length, counts, exposures } = counted;
  penalise(length, like);
  for (let step = 0; step < STEPS; step++) {
    matrix.set(penalty);
    for (let i = 0; i < length; i++) {
      const count = exposures[i] * Math.exp(logs[i]);
      expected[i] = count;
      matrix[DIAGONALS * i] += count + RIDGE;
      right[i] = (count + RIDGE) * logs[i] + counts[i] - count + pull[i];
    }
    solve(length);
    let largest = 0;
    for (let i = 0; i < length; i++) {
      const move = Math.max(-STEP_MAX, Math.min(STEP_MAX, right[i] - logs[i]));
      logs[i] += move;
      largest = Math.max(largest, move * move * expected[i]);
    }
    if (largest < STEP_END * STEP_END) return;
  }
}

/** Takes the matrix of the penalties, and lays what they pull to. */
function penalise(length: number, like: Float64Array | undefined): void {
  if (right.length !== length) {
    matrix = new Float64Array(DIAGONALS * length);
    right = new Float64Array(length);
    pull = new Float64Array(length);
    expected = new Float64Array(length);
  }
  pull.fill(0);
  const known = like ? alikePenalties : smoothPenalties;
  penalty = known.get(length) ?? penaltyOf(length, like !== undefined);
  known.set(length, penalty);
  if (!like) return;
  for (let i = 1; i < length; i++) {
    const rise = ALIKE * (like[i] - like[i - 1]);
    pull[i] += rise;
    pull[i - 1] -= rise;
  }
}

/** The matrix of the penalties: third differences, and first ones of a departure. */
function penaltyOf(length: number, alike: boolean): Float64Array {
  const out = new Float64Array(DIAGONALS * length);
  for (let first = 0; first + 3 < length; first++) {
    for (let j = 0; j < 4; j++) {
      for (let k = 0; k <= j; k++) {
        out[DIAGONALS * (first + j) + (j - k)] += SMOOTH * THIRD[j] * THIRD[k];
      }
    }
  }
  for (let i = 1; alike && i < length; i++) {
    out[DIAGONALS * (i - 1)] += ALIKE;
    out[DIAGONALS * i] += ALIKE;
    out[DIAGONALS * i + 1] -= ALIKE;
  }
  return out;
}

/** Solves `matrix` x = `right` in place: L D L', of which L has three diagonals below the main one. */
function solve(length: number): void {
  // Of the rows before: pivots, results, and what L has left of its diagonal. Rows begin with none.
  let d1 = 1;
  let d2 = 1;
  let d3 = 1;
  let r1 = 0;
  let r2 = 0;
  let r3 = 0;
  let near1 = 0;
  let near2 = 0;
  let far1 = 0;
  for (let i = 0; i < length; i++) {
    const at = DIAGONALS * i;
    const third = matrix[at + 3] / d3;
    const second = (matrix[at + 2] - third * d3 * near2) / d2;
    const first = (matrix[at + 1] - third * d3 * far1 - second * d2 * near1) / d1;
    const pivot = matrix[at] - first * first * d1 - second * second * d2 - third * third * d3;
    const rest = right[i] - first * r1 - second * r2 - third * r3;
    matrix[at + 1] = first;
    matrix[at + 2] = second;
    matrix[at + 3] = third;
    right[i] = rest / pivot;
    d3 = d2;
    d2 = d1;
    d1 = pivot;
    r3 = r2;
    r2 = r1;
    r1 = rest;
    near2 = near1;
    near1 = first;
    far1 = second;
  }
  for (let i = length - 1; i > 0; i--) {
    const at = DIAGONALS * i;
    right[i - 1] -= matrix[at + 1] * right[i];
    if (i > 1) right[i - 2] -= matrix[at + 2] * right[i];
    if (i > 2) right[i - 3] -= matrix[at + 3] * right[i];
  }
}
