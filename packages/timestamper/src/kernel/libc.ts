/**
 * The dozen functions of the C library that the timestamper needs.
 *
 * Problem: neither kernel stamps nor clock_adjtime can be reached from Node.
 * Approach: koffi, synchronous calls only. All memory that the kernel sees lies in `Memory`, which is
 * allocated once; calls pass plain addresses. A failed call comes back as the negative errno, like
 * the kernel's own convention, and `checked` is the one place that makes a TtcsError of it.
 * Assumptions: the C library is already in the process (it is: Node is linked to it dynamically).
 * What it cannot see: an address whose `Memory` is gone. Whoever writes an address into a struct
 * keeps the Memory it points into.
 */
import { getSystemErrorName } from "node:util";
import { TtcsError } from "@ttcs/units";
import koffi from "koffi";

// By its name, so that nothing that was loaded in front of it answers in its stead: clocks are the kernel's.
const library = koffi.load("libc.so.6");

const raw = {
  socket: library.func("socket", "int", ["int", "int", "int"]),
  bind: library.func("bind", "int", ["int", "intptr_t", "uint"]),
  getsockname: library.func("getsockname", "int", ["int", "intptr_t", "intptr_t"]),
  setsockopt: library.func("setsockopt", "int", ["int", "int", "int", "intptr_t", "uint"]),
  sendmmsg: library.func("sendmmsg", "int", ["int", "intptr_t", "uint", "int"]),
  recvmmsg: library.func("recvmmsg", "int", ["int", "intptr_t", "uint", "int", "intptr_t"]),
  close: library.func("close", "int", ["int"]),
  clockGettime: library.func("clock_gettime", "int", ["int", "intptr_t"]),
  clockAdjtime: library.func("clock_adjtime", "int", ["int", "intptr_t"]),
};

/** Memory outside of the collector's reach, at a fixed address for as long as this object lives. */
export class Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Address of the first byte. User addresses have 47 bits, so that a double holds them. */
  readonly address: number;

  constructor(size: number) {
    // An ArrayBuffer of its own never moves; a small typed array may live on the moving heap.
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.address = Number(koffi.address(this.bytes));
  }
}

/** The result of a call, or its negative errno. */
const orErrno = (result: number): number => (result < 0 ? -koffi.errno() : result);

/** Functions of the C library; each returns what C returns, or the negative errno. */
export const libc = {
  socket: (family: number, type: number): number => orErrno(raw.socket(family, type, 0)),
  bind: (fd: number, address: number, length: number): number =>
    orErrno(raw.bind(fd, address, length)),
  getsockname: (fd: number, address: number, lengthAddress: number): number =>
    orErrno(raw.getsockname(fd, address, lengthAddress)),
  setsockopt: (fd: number, level: number, name: number, address: number, length: number): number =>
    orErrno(raw.setsockopt(fd, level, name, address, length)),
  sendmmsg: (fd: number, messages: number, count: number, flags: number): number =>
    orErrno(raw.sendmmsg(fd, messages, count, flags)),
  recvmmsg: (fd: number, messages: number, count: number, flags: number): number =>
    orErrno(raw.recvmmsg(fd, messages, count, flags, 0)),
  close: (fd: number): number => orErrno(raw.close(fd)),
  clockGettime: (clock: number, address: number): number =>
    orErrno(raw.clockGettime(clock, address)),
  clockAdjtime: (clock: number, address: number): number =>
    orErrno(raw.clockAdjtime(clock, address)),
};

/** Name of a negative errno, such as "EPERM". */
export function errnoName(result: number): string {
  return getSystemErrorName(result);
}

/**
 * Passes a good result on.
 *
 * Errors: KERNEL_CALL with the call, the errno's name and `detail`, which says what to do.
 */
export function checked(result: number, call: string, detail: string): number {
  if (result >= 0) return result;
  throw new TtcsError("KERNEL_CALL", { call, errno: errnoName(result), detail });
}
