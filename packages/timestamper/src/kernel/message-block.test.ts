import { describe, expect, test } from "vitest";
import { MMSGHDR, MSGHDR } from "./layouts.ts";
import { MessageBlock } from "./message-block.ts";

describe("a block of messages", () => {
  const sizes = { payload: 90, control: 100, name: 28 };

  test("points each header at parts of its own, which do not overlap", () => {
    const block = new MessageBlock(3, sizes);
    const { view, address } = block.memory;
    const spans: [number, number][] = [];
    for (let i = 0; i < 3; i++) {
      const header = i * MMSGHDR.size;
      const at = (field: number): number =>
        Number(view.getBigUint64(header + field, true)) - address;
      expect(block.headerAddress(i)).toBe(address + header);
      expect(at(MSGHDR.name)).toBe(block.nameAt(i));
      expect(at(MSGHDR.control)).toBe(block.controlAt(i));
      const iov = at(MSGHDR.iov);
      expect(Number(view.getBigUint64(iov, true)) - address).toBe(block.payloadAt(i));
      expect(view.getBigUint64(iov + 8, true)).toBe(90n);
      spans.push([header, MMSGHDR.size], [iov, 16], [block.payloadAt(i), 90]);
      spans.push([block.controlAt(i), 104], [block.nameAt(i), 28]);
    }
    spans.sort((a, b) => a[0] - b[0]);
    for (const [i, [from, length]] of spans.entries()) {
      expect(from + length).toBeLessThanOrEqual(spans[i + 1]?.[0] ?? view.byteLength);
    }
  });

  test("gets its room for names and control messages back after a call has used it", () => {
    const block = new MessageBlock(2, sizes);
    const { view } = block.memory;
    for (const slot of [0, 1]) {
      view.setUint32(slot * MMSGHDR.size + MSGHDR.controlLength, 0, true);
      view.setUint32(slot * MMSGHDR.size + MSGHDR.nameLength, 1, true);
    }
    block.reset(1);
    expect([block.controlLengthOf(0), block.controlLengthOf(1)]).toEqual([104, 0]);
    const nameLengths = [0, 1].map((i) =>
      view.getUint32(i * MMSGHDR.size + MSGHDR.nameLength, true),
    );
    expect(nameLengths).toEqual([sizes.name, 1]);
  });
});
