/**
 * A filter for the probe socket, in the kernel's classic BPF: strangers' datagrams are dropped before they
 * cost a place in the queue, a stamp or a wake-up.
 *
 * It asks what a stranger cannot know or be: the length, our organisation in the TLV, this host's number,
 * a neighbour's number, and the number of one of that edge's keys, which is drawn at random. Whoever can
 * read the network knows these, and is found out by sequence and MAC.
 *
 * Source: Documentation/networking/filter.rst of the kernel. For a UDP socket the packet begins with the
 * UDP header. An instruction has a code (16 bits), two jump distances (8 bits each) and a value (32 bits).
 */
import { PROBE_BYTES } from "@ttcs/protocol";

/** Codes: BPF_LD+BPF_W+BPF_ABS, BPF_LD+BPF_H+BPF_ABS, BPF_LD+BPF_W+BPF_LEN, BPF_JMP+BPF_JEQ, BPF_RET. */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_LENGTH = 0x80;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;

const UDP_HEADER_BYTES = 8;
/** Where things stand in a probe (bytes); see probe.ts of the protocol. */
const TLV_AT = 44;
const ORGANIZATION_AT = 48;
const KEY_AT = 56;
const FROM_AT = 58;
const TO_AT = 62;
/** tlvType 3 and lengthField 42; organizationId 025454 and the first byte of the subtype. */
const TLV = 0x0003002a;
const ORGANIZATION = 0x02545443;
/** A filter returns how many bytes of the packet are kept. */
const KEEP_ALL = 0xffff;
/** A jump reaches 255 instructions; two for each key of a neighbour. */
const KEYS_MAX = 60;
/** BPF_MAXINSNS of the kernel. */
const INSTRUCTIONS_MAX = 4_096;

/** One instruction: code, distance if true, distance if false, value. */
export type Instruction = readonly [code: number, jt: number, jf: number, value: number];

/** A neighbour whose probes are let through, with the numbers of its keys. */
export interface FilteredSender {
  readonly hostNumber: number;
  readonly keyNumbers: readonly number[];
}

const load = (code: number, at: number): Instruction => [code, 0, 0, UDP_HEADER_BYTES + at];
const finish = (value: number): Instruction => [RETURN, 0, 0, value];
/** Goes on when the loaded value is this one, and drops the packet otherwise. */
const demand = (value: number): Instruction[] => [[JUMP_EQUAL, 1, 0, value], finish(0)];

/** The program; undefined: it would be too long for the kernel. */
export function filterProgram(
  toHost: number,
  senders: readonly FilteredSender[],
): Instruction[] | undefined {
  const program: Instruction[] = [
    [LOAD_LENGTH, 0, 0, 0],
    ...demand(UDP_HEADER_BYTES + PROBE_BYTES),
    load(LOAD_WORD, TLV_AT),
    ...demand(TLV),
    load(LOAD_WORD, ORGANIZATION_AT),
    ...demand(ORGANIZATION),
    load(LOAD_WORD, TO_AT),
    ...demand(toHost),
    load(LOAD_WORD, FROM_AT),
  ];
  for (const { hostNumber, keyNumbers } of senders) {
    if (keyNumbers.length > KEYS_MAX) return undefined;
    const keys = keyNumbers.flatMap((n): Instruction[] => [
      [JUMP_EQUAL, 0, 1, n],
      finish(KEEP_ALL),
    ]);
    const block = [load(LOAD_HALF, KEY_AT), ...keys, finish(0)];
    program.push([JUMP_EQUAL, 0, block.length, hostNumber], ...block);
  }
  program.push(finish(0));
  return program.length <= INSTRUCTIONS_MAX ? program : undefined;
}
