import { describe, expect, test } from "vitest";
import {
  findSoftwareStamp,
  putIovec,
  putMsghdr,
  SCM_TIMESTAMPING,
  SOL_SOCKET,
  TIMEX,
} from "./layouts.ts";
import { familyOf, portOf, socketAddress } from "./socket-address.ts";
import {
  errorFields,
  frequencyFields,
  putTimex,
  statusOf,
  stepFields,
  type TimexFields,
} from "./system-clock.ts";

const hex = (view: DataView): string =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("hex");
const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

function timex(fields: TimexFields): DataView {
  const view = new DataView(new ArrayBuffer(TIMEX.size));
  putTimex(view, fields);
  return view;
}

/** The 8-byte words of a struct that are not zero, by offset. */
function words(view: DataView): Record<number, string> {
  const found: Record<number, string> = {};
  for (let at = 0; at < view.byteLength; at += 8) {
    const word = hex(new DataView(view.buffer, at, 8));
    if (word !== "0000000000000000") found[at] = word;
  }
  return found;
}

describe("structures of the kernel", () => {
  test("sockaddr_in has family in host order, port and address in network order", () => {
    const bytes = socketAddress("192.0.2.7", 319);
    expect(hexOf(bytes)).toBe(`0200013fc0000207${"00".repeat(8)}`);
    expect([familyOf(bytes!), portOf(bytes!)]).toEqual([2, 319]);
  });

  test("sockaddr_in6 has the address behind the flow label", () => {
    const golden = `0a00013f${"00".repeat(4)}20010db8${"00".repeat(10)}0007${"00".repeat(4)}`;
    expect(hexOf(socketAddress("2001:db8::7", 319))).toBe(golden);
    expect(hexOf(socketAddress("::ffff:192.0.2.7", 1)).slice(16, 48)).toBe(
      `${"00".repeat(10)}ffffc0000207`,
    );
    expect(hexOf(socketAddress("1:2:3:4:5:6:7:8", 1)).slice(16, 48)).toBe(
      "00010002000300040005000600070008",
    );
    expect(socketAddress("fe80::1%eth0", 1)).toBeUndefined();
  });

  test("iovec is an address and a length", () => {
    const view = new DataView(new ArrayBuffer(16));
    putIovec(view, 0, 0x7f0102030405, 90);
    expect(hex(view)).toBe("05040302017f00005a00000000000000");
  });

  test("msghdr has its 56 bytes in place", () => {
    const view = new DataView(new ArrayBuffer(56));
    putMsghdr(view, 0, { name: 1, nameLength: 2, iov: 3, control: 4, controlLength: 5 });
    expect(hex(view)).toBe(
      "01000000000000000200000000000000030000000000000001000000000000000400000000000000" +
        "05000000000000000000000000000000",
    );
  });

  test("a stamp is found behind another control message", () => {
    const view = new DataView(new ArrayBuffer(112));
    // An IP_RECVERR of 48 bytes first, as on the error queue.
    view.setUint32(0, 44, true);
    view.setInt32(8, 0, true);
    view.setInt32(12, 11, true);
    view.setUint32(48, 64, true);
    view.setInt32(56, SOL_SOCKET, true);
    view.setInt32(60, SCM_TIMESTAMPING, true);
    view.setUint32(64, 1_795_356_122, true);
    expect(findSoftwareStamp(view, 0, 112)).toBe(64);
    expect(findSoftwareStamp(view, 0, 48)).toBe(-1);
    expect(findSoftwareStamp(view, 0, 100)).toBe(-1);
    view.setUint32(64, 0, true);
    expect(findSoftwareStamp(view, 0, 112)).toBe(-1);
  });

  test("control messages with an impossible length end the search", () => {
    const view = new DataView(new ArrayBuffer(64));
    expect(findSoftwareStamp(view, 0, 64)).toBe(-1);
    view.setUint32(0, 0xfffffff0, true);
    expect(findSoftwareStamp(view, 0, 64)).toBe(-1);
  });
});

describe("calls of clock_adjtime", () => {
  test("a frequency is in units of 2^-16 ppm, with a nominal tick", () => {
    const expected = { 0: "0240000000000000", 16: "0000010000000000", 88: "1027000000000000" };
    expect(words(timex(frequencyFields(1000)))).toEqual(expected);
    const slow = timex(frequencyFields(-500_000));
    expect(words(slow)[16]).toBe("00000cfeffffffff");
    expect(() => frequencyFields(500_001)).toThrow("500 ppm");
  });

  test("a step backwards has negative seconds and positive nanoseconds", () => {
    const expected = {
      0: "0021000000000000",
      72: "ffffffffffffffff",
      80: "ffc99a3b00000000",
    };
    expect(words(timex(stepFields(-1)))).toEqual(expected);
    expect(words(timex(stepFields(1_500_000_000)))).toEqual({
      0: "0021000000000000",
      72: "0100000000000000",
      80: "0065cd1d00000000",
    });
  });

  test("errors are rounded up to microseconds; the status keeps what is not ours", () => {
    // STA_PLL, STA_INS and STA_UNSYNC were set; only STA_INS (0x10) stays.
    expect(words(timex(errorFields(1, 2000, true, 0x51)))).toEqual({
      0: "1c00000000000000",
      24: "0100000000000000",
      32: "0200000000000000",
      40: "1000000000000000",
    });
    expect(errorFields(0, 0, false, 0).status).toBe(0x40);
    expect(errorFields(99e9, 0, true, 0).maxErrorUs).toBe(16_000_000);
  });

  test("a state is read back in ppb and ns", () => {
    const view = timex({ modes: 0, freq: -65536, maxErrorUs: 3, estErrorUs: 2, tickUs: 10_001 });
    const status = { freqPpb: 99_000, maxErrorNs: 3000, estErrorNs: 2000, synchronised: true };
    expect(statusOf(view)).toEqual(status);
    view.setInt32(TIMEX.status, 0x2040, true);
    expect(statusOf(view).synchronised).toBe(false);
  });
});
