/** True for the same bytes. Not for secrets: the time it takes tells where they differ. */
export const isSameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
