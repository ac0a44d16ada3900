/** The services' units: least privilege, as written and as systemd sees it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../packaging");
/** systemd's figure for what a service could do, times ten: 0 nothing, 100 everything. */
const EXPOSURE_MAX = { "ttcs-agent": 28, "ttcs-server": 20 };

const settingsOf = (unit: string, name: string): string[] =>
  readFileSync(join(folder, `${unit}.service`), "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));

test("the agent has the two capabilities that it needs and the server has none, and neither can get more", () => {
  const two = ["CAP_SYS_TIME CAP_NET_BIND_SERVICE"];
  expect(settingsOf("ttcs-agent", "AmbientCapabilities")).toEqual(two);
  expect(settingsOf("ttcs-agent", "CapabilityBoundingSet")).toEqual(two);
  expect(settingsOf("ttcs-server", "AmbientCapabilities")).toEqual([]);
  expect(settingsOf("ttcs-server", "CapabilityBoundingSet")).toEqual([""]);
  for (const unit of ["ttcs-agent", "ttcs-server"]) {
    expect(settingsOf(unit, "NoNewPrivileges")).toEqual(["yes"]);
    expect(settingsOf(unit, "UMask")).toEqual(["0077"]);
    expect(settingsOf(unit, "User")).not.toEqual([]);
    expect(settingsOf(unit, "User")).not.toEqual(["root"]);
  }
});

const canAnalyse = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!canAnalyse) console.log("skipped: needs systemd-analyze");

test.runIf(canAnalyse).each(Object.entries(EXPOSURE_MAX))(
  "systemd finds little that %s could do",
  (unit, most) => {
    const file = join(folder, `${unit}.service`);
    const args = ["security", "--offline=true", "--no-pager", `--threshold=${most}`, file];
    const { status, stdout } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    console.log(stdout.trim().split("\n").at(-1));
    expect(status).toBe(0);
  },
);
