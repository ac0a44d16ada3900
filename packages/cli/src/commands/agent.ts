/** `ttcs agent`: the agent in this process. */
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { Agent, openLog } from "@ttcs/agent";
import { parseAgentConfig } from "@ttcs/protocol";
import { fail } from "../fail.ts";
import { armFromEnvironment } from "../failpoints.ts";
import { endWithParent, onEnd, onQuiet, surviveBrokenStreams } from "../process-life.ts";

/** Runs until a signal. */
export async function runAgent(options: { readonly config: string }): Promise<void> {
  // An agent does a little work, for ever: compiling it eagerly would cost more than it saves.
  setFlagsFromString("--battery-saver-mode");
  armFromEnvironment();
  const config = readConfig(options.config);
  if (!config.labClock && config.correctClock) {
    fail(
      "correct_clock: true is not available yet in this version: set it to false, or try ttcs lab",
    );
  }
  const log = openLog(config.logDir, "ttcs-agent.log");
  const die = (error: Error): never => {
    log.error(error.message);
    return fail(error.message, 1);
  };
  surviveBrokenStreams((message) => log.warn(message));
  const agent = await Agent.start(config, log, die).catch(die);
  process.send?.({ started: true });
  onQuiet(() => agent.quiet());
  onEnd(() => agent.close());
  endWithParent();
}

function readConfig(file: string) {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return fail(`Unable to parse config file ${file}\n${(error as Error).message}`);
  }
  const result = parseAgentConfig(text, file);
  return result.ok ? result.config : fail(result.message);
}
