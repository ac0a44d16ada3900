/** `ttcs lab --chaos`: breaks a running laboratory by a plan and prints what it makes of it. */
import type { Laboratory } from "../laboratory.ts";
import { Screen } from "../screen.ts";
import { leadingServer } from "../server-status.ts";
import { Conductor } from "./conductor.ts";
import { deedsFor } from "./deeds.ts";
import type { Stage } from "./stage.ts";
import { chaosTable, outsideLines, resultLine, statesText } from "./table.ts";
import type { DeedResult } from "./verdict.ts";
import { Watch } from "./watch.ts";

/** Runs a plan; `stop` ends it early. */
export class Chaos {
  readonly #laboratory: Laboratory;
  readonly #watch: Watch;
  readonly #conductor: Conductor;
  readonly #names: readonly string[];
  readonly #screen = new Screen();
  readonly #results: DeedResult[] = [];
  #ending = false;

  /** @param names of the deeds to do */
  constructor(laboratory: Laboratory, names: readonly string[], quick: boolean) {
    this.#laboratory = laboratory;
    this.#names = names;
    this.#watch = new Watch(laboratory.observers, (id) => laboratory.pid(id));
    this.#conductor = new Conductor(stageOf(laboratory), this.#watch, quick, (deed, phase, of) => {
      this.#screen.draw(`${deed}: ${phase}, ${of}; ${statesText(this.#watch.states)}`);
    });
  }

  /** Does all deeds; returns what came of them. */
  async run(): Promise<readonly DeedResult[]> {
    this.#watch.start();
    const deeds = deedsFor(this.#laboratory.observers.length).filter(({ name }) =>
      this.#names.includes(name),
    );
    for (const deed of deeds) {
      if (this.#ending) break;
      const result = await this.#conductor.perform(deed);
      if (!result) break;
      this.#results.push(result);
      this.#screen.clear();
      process.stdout.write(`${resultLine(result)}\n${outsideLines(result)}`);
    }
    await this.#watch.stop();
    process.stdout.write(`${chaosTable(this.#results)}\n`);
    return this.#results;
  }

  stop(): void {
    this.#ending = true;
    this.#conductor.stop();
  }
}

function stageOf(laboratory: Laboratory): Stage {
  return {
    hosts: laboratory.observers.map(({ host }) => host),
    fleet: laboratory.fleet,
    network: laboratory.network,
    database: laboratory.backstage.database,
    disks: laboratory.backstage.disks,
    leader: () => leadingServer(laboratory.fleet.serverIds, (id) => laboratory.serverSocket(id)),
  };
}
