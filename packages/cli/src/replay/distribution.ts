/** Pictures of how values are distributed, and of one window with its points and lines. */
import type { WindowShot } from "@ttcs/simulator";
import { duration, signedDuration } from "../units-text.ts";
import { escaped } from "./chart.ts";

/** Sizes of errors (ns), at evenly spaced shares from small to large. */
export interface Curve {
  readonly name: string;
  readonly sizesNs: readonly number[];
}

const WIDTH = 360;
const HEIGHT = 190;
const LEFT = 58;
const RIGHT = 10;
const TOP = 38;
const BOTTOM = 22;
const SHARES = [0, 0.25, 0.5, 0.75, 1];

/** Shares of errors up to a size, on decades of nanoseconds. */
export function distributionChart(title: string, curves: readonly Curve[]): string {
  const drawn = curves.map((curve) => ({ ...curve, sizesNs: curve.sizesNs.filter((v) => v > 0) }));
  const all = drawn.flatMap(({ sizesNs }) => sizesNs);
  if (all.length === 0) return frame(title, HEIGHT, `<text x="${LEFT}" y="80">no values</text>`);
  const low = Math.log10(all.reduce((a, b) => Math.min(a, b)));
  const high = Math.max(low + 0.1, Math.log10(all.reduce((a, b) => Math.max(a, b))));
  const x = (ns: number) => LEFT + ((Math.log10(ns) - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const y = (share: number) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const grid = SHARES.map((share) => {
    const at = y(share).toFixed(1);
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>`;
    return `${line}<text class="e" x="${LEFT - 4}" y="${at}" dy="4">${100 * share} %</text>`;
  });
  const every = Math.max(1, Math.ceil((high - low) / 6));
  for (let power = Math.ceil(low); power <= high; power += every) {
    const at = x(10 ** power).toFixed(1);
    grid.push(
      `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`,
      `<text class="m" x="${at}" y="${HEIGHT - 7}">${escaped(roundText(10 ** power))}</text>`,
    );
  }
  const lines = drawn.map(({ sizesNs }, i) => {
    const points = sizesNs.map(
      (ns, k) => `${x(ns).toFixed(1)} ${y((k + 0.5) / sizesNs.length).toFixed(1)}`,
    );
    return points.length > 0 ? `<path class="s${i}" d="M${points.join("L")}"/>` : "";
  });
  return frame(title, HEIGHT, legend(drawn) + grid.join("") + lines.join(""));
}

/** 1, 10 or 100 of a unit, without places behind the point. */
function roundText(ns: number): string {
  return duration(ns).replace(/\.0+ /, " ");
}

/** Values that lie higher than so many deltas of the middle are left out of a window's picture. */
const REACH = 4;
/** Points beyond this many are thinned. */
const POINTS_MAX = 500;

/**
 * Points of one window above and below the fitted offset, which is the zero line here, with the
 * fastest delays of both directions as dashes. The gap between the two clouds, where there are no
 * points, is cut out: both halves have the same scale and begin near their own fastest probes.
 */
export function windowChart(title: string, shot: WindowShot): string {
  const halves = [
    {
      atS: shot.upperS,
      ns: shot.upperNs,
      clean: shot.upperClean,
      levelNs: shot.upperLevelNs,
      up: 1,
    },
    {
      atS: shot.lowerS,
      ns: shot.lowerNs,
      clean: shot.lowerClean,
      levelNs: shot.lowerLevelNs,
      up: -1,
    },
  ];
  const beyond = halves.map(({ ns, levelNs, up }) => ns.map((value) => up * (value - levelNs)));
  const sorted = Float64Array.from(beyond.flat()).sort();
  if (sorted.length === 0) return frame(title, HEIGHT, `<text x="${LEFT}" y="80">no points</text>`);
  const shown = Math.max(20, REACH * sorted[Math.floor(0.3 * sorted.length)]);
  const endS = [...shot.upperS, ...shot.lowerS].reduce((a, b) => Math.max(a, b), 0.1);
  const height = 2 * HEIGHT - 60;
  const half = (height - TOP - BOTTOM) / 2;
  const middle = TOP + half;
  const x = (s: number) => LEFT + (Math.max(0, s) / endS) * (WIDTH - LEFT - RIGHT);
  const parts: string[] = [];
  halves.forEach(({ atS, clean, levelNs, up }, k) => {
    const base = middle - up * 22;
    const scale = (half - 34) / shown;
    const y = (ns: number) => base - up * ns * scale;
    parts.push(
      `<line class="dash" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(0).toFixed(1)}" y2="${y(0).toFixed(1)}"/>`,
      `<text class="e" x="${LEFT - 4}" y="${y(0).toFixed(1)}" dy="4">${escaped(signedDuration(levelNs).replace(" ", ""))}</text>`,
      `<text class="e" x="${LEFT - 4}" y="${y(shown).toFixed(1)}" dy="4">${escaped(signedDuration(up * shown).replace(" ", ""))}</text>`,
    );
    const every = Math.ceil(atS.length / POINTS_MAX);
    for (let i = 0; i < atS.length; i += every) {
      const ns = beyond[k][i];
      if (ns > shown || ns < -10) continue;
      const kind = clean[i] === 1 ? "p0" : "p1";
      parts.push(
        `<circle class="${kind}" cx="${x(atS[i]).toFixed(1)}" cy="${y(ns).toFixed(1)}" r="1.6"/>`,
      );
    }
  });
  const levels = shot.lines.flatMap(({ startNs, endNs }) => [Math.abs(startNs), Math.abs(endNs)]);
  const reach = Math.max(1, ...levels);
  const zoom = (ns: number) => middle - (ns / reach) * 12;
  parts.push(
    `<line class="zero" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${middle}" y2="${middle}"/>`,
    `<text class="e" x="${LEFT - 4}" y="${middle}" dy="4">±${escaped(duration(reach).replace(" ", ""))}</text>`,
  );
  shot.lines.forEach(({ startNs, endNs }, i) => {
    const d = `M${LEFT} ${zoom(startNs).toFixed(1)}L${WIDTH - RIGHT} ${zoom(endNs).toFixed(1)}`;
    parts.push(`<path class="s${i + 1}" d="${d}"/>`);
  });
  parts.push(
    `<text x="${LEFT}" y="${height - 7}">0 s</text>`,
    `<text class="e" x="${WIDTH - RIGHT}" y="${height - 7}">${endS.toFixed(1)} s</text>`,
  );
  const names = [{ name: "fit" }, ...shot.lines];
  return frame(title, height, legend(names) + parts.join(""));
}

function legend(named: readonly { readonly name: string }[]): string {
  let left = LEFT;
  return named
    .map(({ name }, i) => {
      const text = `<text class="l${i}" x="${left}" y="28">${escaped(name)}</text>`;
      left += 6.2 * name.length + 14;
      return text;
    })
    .join("");
}

function frame(title: string, height: number, inner: string): string {
  return (
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">` +
    `<text class="t" x="0" y="12">${escaped(title)}</text>${inner}</svg>`
  );
}
