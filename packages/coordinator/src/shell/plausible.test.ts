import { create } from "@bufbuild/protobuf";
import { type Hello, HelloSchema } from "@ttcs/protocol";
import { expect, test } from "vitest";
import { implausible } from "./plausible.ts";

const hello = (changes: Partial<Hello> = {}): Hello =>
  Object.assign(
    create(HelloSchema, {
      hostId: "h1",
      clockQuality: 1,
      probeAddress: "10.1.0.1",
      probePort: 319,
      managementAddress: "2001:db8::1",
      agentPort: 6171,
    }),
    changes,
  );

test("an honest Hello can be true, over either family", () => {
  expect(implausible(hello())).toBeUndefined();
  expect(implausible(hello({ probeAddress: "::1", clockQuality: 255 }))).toBeUndefined();
});

test("what no host can say of itself is named", () => {
  const cases: [Partial<Hello>, string][] = [
    [{ hostId: "x".repeat(254) }, "longer than 253"],
    [{ hostId: "h1\u001b[2J" }, "control character"],
    [{ region: "a\u009b" }, "control character"],
    [{ probeAddress: "nowhere" }, "probe_address"],
    [{ managementAddress: "10.1.0.0/16" }, "management_address"],
    [{ probePort: 0 }, "port"],
    [{ agentPort: 65_536 }, "port"],
    [{ clockQuality: 0 }, "clock_quality"],
    [{ clockQuality: 256 }, "clock_quality"],
  ];
  for (const [changes, word] of cases) expect(implausible(hello(changes))).toContain(word);
});
