/**
 * Memory for one sendmmsg or recvmmsg call: headers, vectors, payloads, names and control messages.
 *
 * Problem: the kernel wants a web of pointers for each message.
 * Approach: everything is laid out once in one block, with the pointers written at the start; per
 * call only lengths change. Nothing is allocated per message.
 */

import { IOVEC, MMSGHDR, MSGHDR, putIovec, putMsghdr } from "./layouts.ts";
import { Memory } from "./libc.ts";

/** Room of a message's parts (bytes; 0: the message has no such part). */
export interface SlotSizes {
  readonly payload: number;
  readonly control: number;
  readonly name: number;
}

const align8 = (bytes: number): number => (bytes + 7) & ~7;

/** A fixed number of messages that the kernel can fill or send. */
export class MessageBlock {
  readonly slots: number;
  readonly memory: Memory;
  readonly #sizes: SlotSizes;
  readonly #nameLength: number;
  readonly #payloadAt: number;
  readonly #controlAt: number;
  readonly #nameAt: number;

  constructor(slots: number, sizes: SlotSizes) {
    this.slots = slots;
    this.#nameLength = sizes.name;
    this.#sizes = {
      payload: align8(sizes.payload),
      control: align8(sizes.control),
      name: align8(sizes.name),
    };
    const iovAt = slots * MMSGHDR.size;
    this.#payloadAt = iovAt + slots * IOVEC.size;
    this.#controlAt = this.#payloadAt + slots * this.#sizes.payload;
    this.#nameAt = this.#controlAt + slots * this.#sizes.control;
    this.memory = new Memory(this.#nameAt + slots * this.#sizes.name);
    const { view, address } = this.memory;
    for (let i = 0; i < slots; i++) {
      const iov = iovAt + i * IOVEC.size;
      putIovec(view, iov, address + this.payloadAt(i), sizes.payload);
      putMsghdr(view, i * MMSGHDR.size, {
        name: sizes.name === 0 ? 0 : address + this.nameAt(i),
        nameLength: sizes.name,
        iov: address + iov,
        control: sizes.control === 0 ? 0 : address + this.controlAt(i),
        controlLength: this.#sizes.control,
      });
    }
  }

  /** Address of the header of message `i`, for the call. */
  headerAddress(i: number): number {
    return this.memory.address + i * MMSGHDR.size;
  }

  /** Where the payload of message `i` stands in the memory. */
  payloadAt(i: number): number {
    return this.#payloadAt + i * this.#sizes.payload;
  }

  /** Where the control messages of message `i` stand in the memory. */
  controlAt(i: number): number {
    return this.#controlAt + i * this.#sizes.control;
  }

  /** Where the address of message `i` stands in the memory. */
  nameAt(i: number): number {
    return this.#nameAt + i * this.#sizes.name;
  }

  /** Writes the address that message `i` goes to. */
  setName(i: number, name: Uint8Array): void {
    this.memory.bytes.set(name, this.nameAt(i));
    this.memory.view.setUint32(i * MMSGHDR.size + MSGHDR.nameLength, name.length, true);
  }

  /** Bytes that the kernel put into message `i`. */
  lengthOf(i: number): number {
    return this.memory.view.getUint32(i * MMSGHDR.size + MMSGHDR.length, true);
  }

  /** Flags that the kernel set on message `i`. */
  flagsOf(i: number): number {
    return this.memory.view.getInt32(i * MMSGHDR.size + MSGHDR.flags, true);
  }

  /** Bytes of control messages that came with message `i`. */
  controlLengthOf(i: number): number {
    return this.memory.view.getUint32(i * MMSGHDR.size + MSGHDR.controlLength, true);
  }

  /** Gives the first `count` messages their room for names and control messages back. */
  reset(count: number): void {
    const { view } = this.memory;
    for (let i = 0; i < count; i++) {
      const at = i * MMSGHDR.size;
      view.setUint32(at + MSGHDR.nameLength, this.#nameLength, true);
      view.setUint32(at + MSGHDR.controlLength, this.#sizes.control, true);
    }
  }
}
