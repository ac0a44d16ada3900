/**
 * Small pictures for the report: lines over time, drawn as SVG text.
 *
 * A picture is about as wide as a phone, so that its letters stay readable there. Long courses are
 * thinned to one point per pixel or so: the largest value of each stretch, since peaks matter.
 */

/** A course over time. Values that are no numbers leave a gap. */
export interface Series {
  readonly name: string;
  readonly atS: readonly number[];
  readonly values: readonly number[];
}

/** A picture. */
export interface Chart {
  readonly title: string;
  readonly series: readonly Series[];
  /** Puts a value of the axis into words. */
  readonly unit: (value: number) => string;
  /** Decades instead of a straight scale; values must be above 0. */
  readonly decades?: boolean;
  /** What the horizontal axis counts (default: seconds). */
  readonly atUnit?: string;
}

const WIDTH = 360;
const HEIGHT = 150;
const LEFT = 58;
const RIGHT = 6;
const TOP = 24;
const BOTTOM = 20;
const POINTS_MAX = 240;

/** Makes text safe inside HTML and SVG. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);

interface Range {
  readonly low: number;
  readonly high: number;
}

/** The picture as an `<svg>` element. */
export function lineChart({ title, series, unit, decades = false, atUnit = "s" }: Chart): string {
  const scale = (value: number) => (decades ? Math.log10(value) : value);
  const times = rangeOf(series.flatMap((s) => [s.atS[0], s.atS.at(-1) ?? Number.NaN]));
  const thinned = series.map((s) => thin(s));
  const values = rangeOf(thinned.flatMap((s) => s.values.map(scale)));
  const head = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`;
  const name = `<text class="t" x="0" y="12">${escaped(title)}</text>`;
  if (!times || !values) return `${head}${name}<text x="${LEFT}" y="80">no values</text></svg>`;
  const wide = widened(values);
  const x = (s: number) =>
    LEFT + ((s - times.low) / (times.high - times.low || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) =>
    TOP + ((wide.high - scale(value)) / (wide.high - wide.low)) * (HEIGHT - TOP - BOTTOM);
  const grid = ticks(wide, decades).map((value) => {
    const at = y(value).toFixed(1);
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`;
    return `${line}<text class="e" x="${LEFT - 4}" y="${at}" dy="4">${escaped(unit(value))}</text>`;
  });
  const paths = thinned.map((s, i) => `<path class="s${i}" d="${pathOf(s, x, y)}"/>`);
  const legend = series.length < 2 ? "" : legendOf(series);
  const foot =
    `<text x="${LEFT}" y="${HEIGHT - 5}">${times.low.toFixed(0)} ${atUnit}</text>` +
    `<text class="e" x="${WIDTH - RIGHT}" y="${HEIGHT - 5}">${times.high.toFixed(0)} ${atUnit}</text>`;
  return `${head}${name}${legend}<g>${grid.join("")}</g>${paths.join("")}${foot}</svg>`;
}

/** A line without axes, for a table: values from 0 (below) to `top`. */
export function sparkline(values: readonly number[], top: number, label: string): string {
  const { values: shown } = thin({ name: "", atS: values.map((_, i) => i), values }, 48);
  const points = shown.map((value, i) => {
    const x = (100 * i) / Math.max(1, shown.length - 1);
    return `${x.toFixed(1)},${(18 - 16 * Math.min(1, value / (top || 1))).toFixed(1)}`;
  });
  return (
    `<svg class="spark" viewBox="0 0 100 20" role="img" aria-label="${escaped(label)}">` +
    `<polyline class="s0" points="${points.join(" ")}"/></svg>`
  );
}

function legendOf(series: readonly Series[]): string {
  const names = [...series].reverse();
  let right = WIDTH - RIGHT;
  return names
    .map((s, i) => {
      const text = `<text class="e l${series.length - 1 - i}" x="${right}" y="12">${escaped(s.name)}</text>`;
      right -= 8 * s.name.length + 10;
      return text;
    })
    .join("");
}

function pathOf(s: Series, x: (s: number) => number, y: (value: number) => number): string {
  let pen = "M";
  const parts: string[] = [];
  s.values.forEach((value, i) => {
    if (!Number.isFinite(value)) pen = "M";
    else {
      parts.push(`${pen}${x(s.atS[i]).toFixed(1)} ${y(value).toFixed(1)}`);
      pen = "L";
    }
  });
  return parts.join("");
}

/** Keeps the value of largest size of each stretch. */
function thin(s: Series, pointsMax = POINTS_MAX): Series {
  if (s.values.length <= pointsMax) return s;
  const atS: number[] = [];
  const values: number[] = [];
  for (let p = 0; p < pointsMax; p++) {
    const first = Math.floor((p * s.values.length) / pointsMax);
    const last = Math.floor(((p + 1) * s.values.length) / pointsMax);
    let best = first;
    for (let i = first + 1; i < last; i++) {
      if (!(Math.abs(s.values[i]) <= Math.abs(s.values[best]))) best = i;
    }
    atS.push(s.atS[best]);
    values.push(s.values[best]);
  }
  return { ...s, atS, values };
}

function rangeOf(values: readonly number[]): Range | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? { low, high } : undefined;
}

/** A little room above and below; a course that never moves gets some, too. */
function widened({ low, high }: Range): Range {
  const room = 0.06 * (high - low) || 0.05 * Math.abs(high) || 1;
  return { low: low - room, high: high + room };
}

/** A few round values within the range; on decades, powers of ten as they are, not their logs. */
function ticks({ low, high }: Range, decades: boolean): number[] {
  if (decades) {
    const powers: number[] = [];
    const every = Math.max(1, Math.ceil((high - low) / 4));
    for (let p = Math.ceil(low); p <= high; p += every) powers.push(10 ** p);
    if (powers.length > 1) return powers;
    return [10 ** (low + (high - low) * 0.1), 10 ** (low + (high - low) * 0.9)];
  }
  const rough = (high - low) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= rough)!;
  const out: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) out.push(k * step);
  return out;
}
