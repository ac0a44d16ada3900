/** All scenarios, by number. To add one, copy a file and name it here. */
import type { Scenario } from "../sim/scenario.ts";
import { scenario001 } from "./001-quiet-lan.ts";
import { scenario011 } from "./011-s1.ts";
import { scenario012 } from "./012-s2.ts";
import { scenario013 } from "./013-s3.ts";
import { scenario014 } from "./014-s4.ts";
import { scenario015 } from "./015-s5.ts";
import { scenario016 } from "./016-s6.ts";
import { scenario017 } from "./017-s6-20.ts";
import { scenario021 } from "./021-load-40.ts";
import { scenario022 } from "./022-load-80.ts";
import { scenario023 } from "./023-load-90.ts";
import { scenario024 } from "./024-load-95.ts";
import { scenario025 } from "./025-bursts.ts";
import { scenario031 } from "./031-ecmp.ts";
import { scenario032 } from "./032-biased-edges.ts";
import { scenario033 } from "./033-route-change.ts";
import { scenario034 } from "./034-loss.ts";
import { scenario101 } from "./101-temperature.ts";
import { scenario102 } from "./102-temperature-strong.ts";
import { scenario103 } from "./103-restless-clocks.ts";
import { scenario201 } from "./201-early-1.ts";
import { scenario202 } from "./202-early-8.ts";
import { scenario203 } from "./203-one-slot-sent.ts";
import { scenario204 } from "./204-one-slot-both.ts";
import { scenario205 } from "./205-software-stamps.ts";
import { scenario301 } from "./301-sparse-3.ts";
import { scenario302 } from "./302-sparse-5.ts";
import { scenario311 } from "./311-budget-1.ts";
import { scenario312 } from "./312-budget-10.ts";
import { scenario313 } from "./313-budget-50.ts";
import { scenario314 } from "./314-budget-500.ts";
import { scenario401 } from "./401-cut.ts";
import { scenario402 } from "./402-cut-one-way.ts";
import { scenario403 } from "./403-pause.ts";
import { scenario404 } from "./404-liar-stamps.ts";
import { scenario405 } from "./405-liar-fits.ts";
import { scenario406 } from "./406-reboot.ts";
import { scenario407 } from "./407-coordinator.ts";
import { scenario408 } from "./408-reference-dies.ts";
import { scenario409 } from "./409-partition.ts";
import { scenario410 } from "./410-foreign-step.ts";
import { scenario411 } from "./411-foreign-slew.ts";
import { scenario412 } from "./412-reference-step.ts";
import { scenario421 } from "./421-half-cut.ts";
import { scenario422 } from "./422-reference-in-minority.ts";
import { scenario423 } from "./423-half-cut-long.ts";
import { scenario424 } from "./424-reference-hangs.ts";
import { scenario425 } from "./425-reference-returns.ts";
import { scenario426 } from "./426-source-step.ts";
import { scenario427 } from "./427-source-set.ts";
import { scenario428 } from "./428-source-drift.ts";
import { scenario429 } from "./429-crystal-jump.ts";
import { scenario441 } from "./441-regions.ts";
import { scenario442 } from "./442-regions-congested.ts";
import { scenario443 } from "./443-local-reference-dies.ts";
import { scenario444 } from "./444-region-cut.ts";
import { scenario445 } from "./445-leading-region-gone.ts";
import { scenario446 } from "./446-regions-restart.ts";
import { scenario501 } from "./501-thousand.ts";

/** 0xx: networks, 1xx: clocks, 2xx: stamps, 3xx: meshes and budgets, 4xx: failures, 5xx: size. */
export const simScenarios: readonly Scenario[] = [
  scenario001,
  scenario011,
  scenario012,
  scenario013,
  scenario014,
  scenario015,
  scenario016,
  scenario017,
  scenario021,
  scenario022,
  scenario023,
  scenario024,
  scenario025,
  scenario031,
  scenario032,
  scenario033,
  scenario034,
  scenario101,
  scenario102,
  scenario103,
  scenario201,
  scenario202,
  scenario203,
  scenario204,
  scenario205,
  scenario301,
  scenario302,
  scenario311,
  scenario312,
  scenario313,
  scenario314,
  scenario401,
  scenario402,
  scenario403,
  scenario404,
  scenario405,
  scenario406,
  scenario407,
  scenario408,
  scenario409,
  scenario410,
  scenario411,
  scenario412,
  scenario421,
  scenario422,
  scenario423,
  scenario424,
  scenario425,
  scenario426,
  scenario427,
  scenario428,
  scenario429,
  scenario441,
  scenario442,
  scenario443,
  scenario444,
  scenario445,
  scenario446,
  scenario501,
];
