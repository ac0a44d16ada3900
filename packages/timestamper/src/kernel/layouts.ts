/**
 * Structures and constants of the Linux kernel's interface, as bytes.
 *
 * Problem: without a compiler in between nobody knows where a field of a C struct stands.
 * Approach: every offset and number is written down here, once, and held by golden-byte tests; the
 * start-up self-check (`self-check.ts`) catches what the tests cannot.
 * Assumptions: LP64 and little endian (x86-64, arm64 and riscv64 agree in all of it).
 * What it cannot see: an architecture with other socket numbers (mips, sparc); there the self-check
 * refuses to start.
 *
 * Source: include/uapi of the Linux kernel (linux/socket.h, linux/time.h, linux/timex.h,
 * linux/net_tstamp.h, asm-generic/socket.h), glibc's bits/socket.h.
 */

/** bits/socket.h and asm-generic/socket.h. */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
/** Like SO_RCVBUF, beyond net.core.rmem_max; needs CAP_NET_ADMIN. */
export const SO_RCVBUFFORCE = 33;
export const SO_ATTACH_FILTER = 26;
export const SO_TIMESTAMPING = 37;
export const SCM_TIMESTAMPING = SO_TIMESTAMPING;
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
/** Control messages that describe an entry of the error queue. */
export const IP_RECVERR = 11;
export const IPV6_RECVERR = 25;
/** Keeps an IPv6 socket off the IPv4 port of the same number. */
export const IPV6_V6ONLY = 26;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;

/** linux/net_tstamp.h: stamps by software, of packets sent and received, and reported as such. */
export const SOF_TIMESTAMPING_TX_SOFTWARE = 2;
export const SOF_TIMESTAMPING_RX_SOFTWARE = 8;
export const SOF_TIMESTAMPING_SOFTWARE = 16;

/** linux/time.h. */
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC_RAW = 4;

/** linux/timex.h: what a call of clock_adjtime changes. 0 reads only. */
export const ADJ_READ_ONLY = 0;
export const ADJ_FREQUENCY = 0x2;
export const ADJ_MAXERROR = 0x4;
export const ADJ_ESTERROR = 0x8;
export const ADJ_STATUS = 0x10;
export const ADJ_SETOFFSET = 0x100;
export const ADJ_NANO = 0x2000;
export const ADJ_TICK = 0x4000;
/** linux/timex.h: bits of the status. */
export const STA_PLL = 0x1;
export const STA_FLL = 0x8;
export const STA_UNSYNC = 0x40;

/** struct sockaddr_in: family and address as the host and the network write them. */
export const SOCKADDR_IN = { family: 0, port: 2, address: 4, size: 16 } as const;
/** struct sockaddr_in6. */
export const SOCKADDR_IN6 = {
  family: 0,
  port: 2,
  flow: 4,
  address: 8,
  scope: 24,
  size: 28,
} as const;
/** struct timespec. */
export const TIMESPEC = { seconds: 0, nanoseconds: 8, size: 16 } as const;
/** struct iovec. */
export const IOVEC = { base: 0, length: 8, size: 16 } as const;
/** struct msghdr, with the padding behind nameLength and flags. */
export const MSGHDR = {
  name: 0,
  nameLength: 8,
  iov: 16,
  iovCount: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  size: 56,
} as const;
/** struct mmsghdr: a msghdr, then the number of bytes moved. */
export const MMSGHDR = { header: 0, length: 56, size: 64 } as const;
/** struct cmsghdr; its data and the next one are aligned to 8 bytes. */
export const CMSGHDR = { length: 0, level: 8, type: 12, data: 16 } as const;
/** struct scm_timestamping: three timespecs, of which the first is the software stamp. */
export const SCM_TIMESTAMPING_BYTES = 48;
/** struct timex. */
export const TIMEX = {
  modes: 0,
  freq: 16,
  maxError: 24,
  estError: 32,
  status: 40,
  timeSeconds: 72,
  timeFraction: 80,
  tick: 88,
  size: 208,
} as const;

/** Writes an iovec: where the bytes are and how many. */
export function putIovec(view: DataView, at: number, address: number, bytes: number): void {
  view.setBigUint64(at + IOVEC.base, BigInt(address), true);
  view.setBigUint64(at + IOVEC.length, BigInt(bytes), true);
}

/** What a msghdr points to; addresses and lengths in bytes, 0 for none. */
export interface MessageParts {
  readonly name: number;
  readonly nameLength: number;
  readonly iov: number;
  readonly control: number;
  readonly controlLength: number;
}

/** Writes a msghdr with one iovec. */
export function putMsghdr(view: DataView, at: number, parts: MessageParts): void {
  view.setBigUint64(at + MSGHDR.name, BigInt(parts.name), true);
  view.setUint32(at + MSGHDR.nameLength, parts.nameLength, true);
  view.setBigUint64(at + MSGHDR.iov, BigInt(parts.iov), true);
  view.setBigUint64(at + MSGHDR.iovCount, 1n, true);
  view.setBigUint64(at + MSGHDR.control, BigInt(parts.control), true);
  view.setBigUint64(at + MSGHDR.controlLength, BigInt(parts.controlLength), true);
  view.setInt32(at + MSGHDR.flags, 0, true);
}

/**
 * Looks through control messages for a kernel stamp. Returns where its timespec stands in `view`, or
 * -1. A stamp of zero means that there was none.
 */
export function findSoftwareStamp(view: DataView, at: number, length: number): number {
  const end = at + length;
  let here = at;
  while (here + CMSGHDR.data <= end) {
    // Control buffers are far below 4 GB: the lower half of the 64-bit length says it all.
    const size = view.getUint32(here + CMSGHDR.length, true);
    if (size < CMSGHDR.data || here + size > end) return -1;
    const isStamp =
      view.getInt32(here + CMSGHDR.level, true) === SOL_SOCKET &&
      view.getInt32(here + CMSGHDR.type, true) === SCM_TIMESTAMPING;
    if (isStamp && size >= CMSGHDR.data + SCM_TIMESTAMPING_BYTES) {
      const stamp = here + CMSGHDR.data;
      return view.getUint32(stamp + TIMESPEC.seconds, true) === 0 ? -1 : stamp;
    }
    here += (size + 7) & ~7;
  }
  return -1;
}
