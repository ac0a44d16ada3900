import { TtcsError } from "@ttcs/units";
import { describe, expect, test } from "vitest";
import { adviceFor, selfCheck } from "./self-check.ts";

describe("the self-check", () => {
  test("passes on the loopback address", () => {
    expect(() => selfCheck("127.0.0.1")).not.toThrow();
  });

  test("reports an address that the host lacks as such", () => {
    expect(() => selfCheck("192.0.2.1")).toThrow(TtcsError);
  });

  test("names what is missing", () => {
    expect(adviceFor({ sentStamped: 2, received: 2, receivedUnstamped: 0 })).toBeUndefined();
    expect(adviceFor({ sentStamped: 2, received: 0, receivedUnstamped: 0 })).toContain("arrive");
    expect(adviceFor({ sentStamped: 2, received: 0, receivedUnstamped: 2 })).toContain("no stamp");
    expect(adviceFor({ sentStamped: 0, received: 2, receivedUnstamped: 0 })).toContain(
      "net.core.tstamp_allow_data=1",
    );
  });
});
