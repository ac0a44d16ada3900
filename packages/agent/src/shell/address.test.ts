import { expect, test } from "vitest";
import { resolveAddress } from "./address.ts";

test("an address stands for itself, IPv6 as well", async () => {
  expect(await resolveAddress("10.9.8.7")).toBe("10.9.8.7");
  expect(await resolveAddress("::1")).toBe("::1");
});

test("an interface name, a block and a hostname lead to an address of this host", async () => {
  expect(await resolveAddress("lo")).toBe("127.0.0.1");
  expect(await resolveAddress("127.0.0.0/8")).toBe("127.0.0.1");
  expect(["127.0.0.1", "::1"]).toContain(await resolveAddress("localhost"));
});

test.each([
  ["198.51.100.0/24", /no local address lies in this block/],
  ["10.1.0.0/99", /write it like 10.1.0.0\/16/],
  ["no-such-interface.invalid", /no interface of this name/],
  ["<AGENT IP/CIDR/INTERFACE>", /write it like/],
])("%s is refused with what to do", async (spec, text) => {
  await expect(resolveAddress(spec)).rejects.toThrow(/Failed to fetch interface for probe IP/);
  await expect(resolveAddress(spec)).rejects.toThrow(text);
});
