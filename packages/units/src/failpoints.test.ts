import { afterEach, expect, test } from "vitest";
import { armFailpoints, failpoint, failpointTable, parseFailpoints } from "./failpoints.ts";

const done: string[] = [];
const hands = { kill: () => done.push("kill"), sleep: (ms: number) => done.push(`sleep ${ms}`) };
const arm = (text: string) => {
  const armed = parseFailpoints(text);
  if ("fault" in armed) throw new Error(armed.fault);
  armFailpoints(armed, hands);
};

afterEach(() => {
  armFailpoints([], hands);
  done.length = 0;
});

test("a place that nobody has armed does nothing", () => {
  failpoint("agent.batch.before");
  arm("agent.batch.after=kill");
  failpoint("agent.batch.before");
  expect(done).toEqual([]);
});

test("an armed place kills, sleeps or throws, at the visit that was asked for", () => {
  arm("agent.batch.before=sleep:70@2; agent.close=kill;agent.report=error@*");
  failpoint("agent.batch.before");
  expect(done).toEqual([]);
  failpoint("agent.batch.before");
  failpoint("agent.batch.before");
  failpoint("agent.close");
  expect(done).toEqual(["sleep 70", "kill"]);
  expect(() => failpoint("agent.report")).toThrow("failpoint agent.report");
  expect(() => failpoint("agent.report")).toThrow("failpoint agent.report");
});

test("a name that is none is told with all that there are", () => {
  const read = parseFailpoints("agent.nowhere=kill");
  expect(read).toHaveProperty("fault");
  for (const name of Object.keys(failpointTable)) {
    expect((read as { fault: string }).fault).toContain(name);
  }
});

test.each(["agent.close", "agent.close=die", "agent.close=sleep", "agent.close=kill@", "=kill"])(
  "%s makes no sense",
  (text) => {
    expect(parseFailpoints(text)).toHaveProperty("fault");
  },
);

test("there are thirty places at least", () => {
  expect(Object.keys(failpointTable).length).toBeGreaterThanOrEqual(30);
});
