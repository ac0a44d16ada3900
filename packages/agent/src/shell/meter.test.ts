import { expect, test } from "vitest";
import { CpuMeter } from "./meter.ts";

/** Keeps this thread busy until it has used some processor time (us). */
function burn(us: number): void {
  const before = process.threadCpuUsage();
  for (;;) {
    const { user, system } = process.threadCpuUsage(before);
    if (user + system >= us) return;
  }
}

test("time goes to the innermost part, and what is not named to the rest", () => {
  const meter = new CpuMeter();
  burn(5_000);
  meter.begin("exchange");
  burn(20_000);
  meter.begin("fit");
  burn(40_000);
  meter.end();
  burn(10_000);
  meter.end();
  burn(5_000);
  const seconds = meter.seconds(0.001);
  expect(seconds.probing_s).toBe(0.001);
  expect(seconds.exchange_s).toBeGreaterThanOrEqual(0.03);
  expect(seconds.fit_s).toBeGreaterThanOrEqual(0.04);
  // Whatever the machine does meanwhile is not this thread's time.
  expect(seconds.exchange_s).toBeLessThan(0.06);
  expect(seconds.fit_s).toBeLessThan(0.07);
  expect(seconds.rest_s).toBeGreaterThan(0);
});
