/** Attaches a filter program to a socket. */
import { SO_ATTACH_FILTER, SOL_SOCKET } from "./layouts.ts";
import { libc, Memory } from "./libc.ts";
import type { Instruction } from "./socket-filter.ts";

/** struct sock_fprog: a count (16 bits), padding, and the address of the instructions. */
const FPROG = { count: 0, address: 8, size: 16 } as const;
/** struct sock_filter. */
const INSTRUCTION = { code: 0, jt: 2, jf: 3, value: 4, size: 8 } as const;

/** Takes the place of the filter before it, without a gap. False: the kernel refuses. */
export function attachFilter(fd: number, program: readonly Instruction[]): boolean {
  const code = new Memory(INSTRUCTION.size * program.length);
  program.forEach(([op, jt, jf, value], i) => {
    const at = INSTRUCTION.size * i;
    code.view.setUint16(at + INSTRUCTION.code, op, true);
    code.view.setUint8(at + INSTRUCTION.jt, jt);
    code.view.setUint8(at + INSTRUCTION.jf, jf);
    code.view.setUint32(at + INSTRUCTION.value, value, true);
  });
  const head = new Memory(FPROG.size);
  head.view.setUint16(FPROG.count, program.length, true);
  head.view.setBigUint64(FPROG.address, BigInt(code.address), true);
  // The kernel copies both before it returns; reading `code` here keeps it until then.
  const result = libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, head.address, FPROG.size);
  return result >= 0 && code.bytes.length > 0;
}
