/**
 * Carries out a plan of chaos on a running laboratory, deed by deed.
 *
 * Before each deed all hosts are LOCKED for a while, undisturbed: that is what it is held against.
 * After it everything is brought back, whatever happened.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { LabHost } from "../plan.ts";
import { askAgentq, checkAgentq } from "./agentq.ts";
import { Hands } from "./hands.ts";
import { judge, outsideOf } from "./judge.ts";
import { type Cast, namesOf, obstacleOf, type Stage } from "./stage.ts";
import { countUnreadable } from "./state-files.ts";
import type { AgentqSample, Deed, DeedRecord } from "./types.ts";
import { type DeedResult, verdictsOf } from "./verdict.ts";
import type { Watch } from "./watch.ts";

/** Hosts are given this long to be LOCKED all together before a deed (s). */
const SETTLE_S = 60;
/** Undisturbed time before a deed (s): the course of the clocks is taken from it, twice if long. */
const BASELINE_S = 20;
const BASELINE_QUICK_S = 8.3;
/** Hosts that have just become LOCKED still come nearer for so long (s): no baseline before. */
const START_S = 20;
/** How often everything is looked at (ms). */
const TICK_MS = 50;
/** The real program is run this often over a deed, evenly spread. */
const AGENTQ_RUNS = 4;
/** Not one host after the other, so that both sides of a cut are asked. */
const AGENTQ_STRIDE = 5;

/** Told while a deed is under way. */
export type Progress = (deed: string, phase: string, ofS: string) => void;

/** See the module head. */
export class Conductor {
  readonly #stage: Stage;
  readonly #watch: Watch;
  readonly #quick: boolean;
  readonly #progress: Progress;
  #ending = false;

  constructor(stage: Stage, watch: Watch, quick: boolean, progress: Progress) {
    this.#stage = stage;
    this.#watch = watch;
    this.#quick = quick;
    this.#progress = progress;
  }

  /** Ends the deed that is under way; it has no result. */
  stop(): void {
    this.#ending = true;
  }

  /** Does one deed; undefined when it was broken off. */
  async perform(deed: Deed): Promise<DeedResult | undefined> {
    const { name, expected } = deed;
    const skipped = deed.needs
      .map((need) => obstacleOf(need, this.#stage))
      .find((why) => why !== undefined);
    if (skipped !== undefined) return { deed: name, expected, skipped, verdicts: [], ok: true };
    const baselineS = await this.#settled(deed);
    if (baselineS === undefined) {
      const failed = `not all hosts were LOCKED within ${SETTLE_S} s before it`;
      return this.#ending ? undefined : { deed: name, expected, failed, verdicts: [], ok: false };
    }
    const cast = await this.#cast();
    const hands = new Hands(this.#stage, cast);
    try {
      return await this.#watched(deed, baselineS, cast, hands);
    } catch (error) {
      const failed = (error as Error).message;
      return { deed: name, expected, failed, verdicts: [], ok: false };
    } finally {
      await hands.restore();
    }
  }

  async #watched(deed: Deed, baselineS: number, cast: Cast, hands: Hands) {
    const watch = this.#watch;
    const servers = this.#stage.fleet.serverIds;
    const victims = deed.victims.flatMap((target) => namesOf(target, cast, servers));
    const fromS = watch.nowS;
    const watchS = this.#quick ? (deed.quickS ?? deed.watchS) : deed.watchS;
    const agentq = await this.#carryOut(deed, fromS, watchS, victims, hands);
    if (this.#ending) return undefined;
    const toS = fromS + watchS;
    const record: DeedRecord = {
      hosts: watch.records(baselineS, toS),
      victims,
      reference: cast.reference,
      baselineS,
      fromS,
      overS: fromS + deed.overS,
      toS,
      agentq,
      unreadableStates: hands.unreadableStates + countUnreadable(this.#stage.hosts),
      failpointsReached: hands.failpointsReached,
    };
    const figures = judge(record);
    const verdicts = verdictsOf(deed, figures);
    const ok = verdicts.every((verdict) => verdict.ok);
    const outside = outsideOf(record);
    return { deed: deed.name, expected: deed.expected, figures, verdicts, outside, ok };
  }

  /** Does the acts at their times and asks with the real program now and then. */
  async #carryOut(
    deed: Deed,
    fromS: number,
    watchS: number,
    victims: readonly string[],
    hands: Hands,
  ): Promise<AgentqSample[]> {
    const acts = [...deed.acts];
    const calm = this.#stage.hosts.filter(({ id }) => !victims.includes(id));
    const asked = calm.length > 0 ? calm : this.#stage.hosts;
    const answers: { host: LabHost; now: ReturnType<typeof askAgentq> }[] = [];
    for (;;) {
      const sinceS = this.#watch.nowS - fromS;
      if (sinceS >= watchS || this.#ending) break;
      while (acts.length > 0 && acts[0].atS <= sinceS) await hands.do(acts.shift()!);
      if (sinceS > ((answers.length + 0.5) * watchS) / AGENTQ_RUNS) {
        const host = asked[(answers.length * AGENTQ_STRIDE) % asked.length];
        answers.push({ host, now: askAgentq(host) });
      }
      this.#progress(deed.name, "under way", `${sinceS.toFixed(0)} of ${watchS} s`);
      await sleep(TICK_MS);
    }
    const checked: AgentqSample[] = [];
    for (const { host, now } of answers) {
      const answer = await now;
      if (answer) checked.push(checkAgentq(host, answer, this.#watch));
    }
    return checked;
  }

  /** Waits for an undisturbed while with all hosts LOCKED; returns when it began (s). */
  async #settled({ name }: Deed): Promise<number | undefined> {
    const lengthS = this.#quick ? BASELINE_QUICK_S : BASELINE_S;
    const beganS = this.#watch.nowS;
    let sinceS: number | undefined;
    for (;;) {
      const nowS = this.#watch.nowS;
      const early = !this.#quick && nowS < START_S;
      const calm = !early && this.#watch.states.every((state) => state === "LOCKED");
      sinceS = calm ? (sinceS ?? nowS) : undefined;
      if (sinceS !== undefined && nowS - sinceS >= lengthS) return sinceS;
      if (nowS - beganS > SETTLE_S + lengthS || this.#ending) return undefined;
      const phase = calm ? "all LOCKED" : "settling";
      this.#progress(name, phase, `${(nowS - beganS).toFixed(0)} s`);
      await sleep(TICK_MS);
    }
  }

  async #cast(): Promise<Cast> {
    const { reference } = this.#watch;
    const agents = this.#stage.hosts.map(({ id }) => id).filter((id) => id !== reference);
    const diskAgents = this.#stage.disks.agents.filter((id) => id !== reference);
    return { reference, leader: await this.#stage.leader(), agents, diskAgents };
  }
}
