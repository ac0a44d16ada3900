/**
 * How far a clock has left the course that it was on.
 *
 * A straight line is laid through where the clock truly stood, against true time, before an instant;
 * carried on from there it is where the clock would be if nobody had touched its rate. The distance
 * from it holds all that a takeover can do to a clock: a step, a jerk of the rate, another domain time.
 * It holds the crystal's wander and the ordinary noise of steering as well, so it says too much, never
 * too little.
 */

/** The line is laid through this long (s), and the clock is held against it for this long (s). */
export const COURSE_FIT_S = 8;
export const COURSE_SPAN_S = 10;
const FIT_EVERY_S = 0.1;
/** A shorter touch than this moves no clock by a microsecond: rates change by 50 ppm at most. */
const LOOK_EVERY_S = 0.02;

/** Largest distance (ns) within `COURSE_SPAN_S` after `atS` from the course before it. */
export function movedNs(apartNs: (atS: number) => number, atS: number, endS: number): number {
  let count = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  for (let x = -COURSE_FIT_S; x < 0; x += FIT_EVERY_S) {
    const y = apartNs(atS + x);
    count++;
    sumX += x;
    sumY += y;
    sumXX += x * x;
    sumXY += x * y;
  }
  const slope = (count * sumXY - sumX * sumY) / (count * sumXX - sumX * sumX);
  const level = (sumY - slope * sumX) / count;
  let largestNs = 0;
  const spanS = Math.min(COURSE_SPAN_S, endS - atS);
  for (let x = 0; x <= spanS; x += LOOK_EVERY_S) {
    largestNs = Math.max(largestNs, Math.abs(apartNs(atS + x) - level - slope * x));
  }
  return largestNs;
}
