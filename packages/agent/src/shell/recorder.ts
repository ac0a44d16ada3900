/**
 * Records what an agent tells its neighbours, for a probe trace.
 *
 * Problem: a recording is to hold the very stamps that the agents worked with, carried to raw clocks
 * that nobody steers. Approach: these are exactly what an agent flushes to its neighbours, so every
 * outgoing flush is appended to a file, a size (varint) before each message. Whoever has the files of
 * all hosts can join the two stamps of each probe.
 *
 * An agent that was killed may have torn its last message; the next one cuts that off and appends.
 * One write per flush and no sync: the page cache outlives the process.
 */
import { ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sizeDelimitedEncode, sizeDelimitedPeek } from "@bufbuild/protobuf/wire";
import { type ExchangeFlush, ExchangeFlushSchema } from "@ttcs/protocol";

/** Takes an outgoing flush. */
export type FlushRecorder = (flush: ExchangeFlush) => void;

/** A recorder to DIR/HOST.flushes; one that does nothing when no folder is given. */
export function flushRecorder(dir: string | undefined, hostId: string): FlushRecorder {
  if (!dir) return () => {};
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${hostId}.flushes`);
  const fd = openSync(path, "a");
  ftruncateSync(fd, wholeLength(readFileSync(path)));
  return (flush) => {
    writeSync(fd, sizeDelimitedEncode(ExchangeFlushSchema, flush));
  };
}

/** Length of the whole messages at the beginning of `bytes`. */
function wholeLength(bytes: Uint8Array): number {
  for (let at = 0; ; ) {
    // A size takes ten bytes at most.
    const head = sizeDelimitedPeek(bytes.subarray(at, at + 10));
    if (head.eof) return at;
    const end = at + head.offset + head.size;
    if (end > bytes.length) return at;
    at = end;
  }
}
