/**
 * Fixed-point numbers of the laboratory's truth: times in 2^-32 ns, rates in 2^-40 ppb.
 *
 * Doubles that come in (draws of the seed, values of the log) are taken over to these units; from
 * there on sums and products of whole numbers are exact, but for the division in `rateOver`.
 */

/** 1 ns in units of time. */
export const NS = 1n << 32n;
const PPB = 1n << 40n;

/** A time in ns as a fixed-point number. */
export const fixedNs = (ns: number): bigint => BigInt(Math.round(ns * 2 ** 32));

/** A rate in ppb as a fixed-point number. */
export const fixedPpb = (ppb: number): bigint => BigInt(Math.round(ppb * 2 ** 40));

/** What a rate makes of a time: both and the result fixed-point. */
export const rateOver = (ppb: bigint, time: bigint): bigint => toTime(ppb * time);

/** The product of a rate and a time, as a time. */
export const toTime = (product: bigint): bigint => product / (PPB * 1_000_000_000n);

/** A time as such a product. */
export const toProduct = (time: bigint): bigint => time * PPB * 1_000_000_000n;
