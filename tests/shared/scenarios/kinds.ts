/** Concurrency, quotas and reservations through failures. */
import type { Phase } from "../settings.ts";
import {
  judgeConcurrency,
  judgeQuota,
  judgeRate,
  KEPT,
  LEASE_MS,
  type Scenario,
  type Setup,
  stage,
  WAVE_MS,
} from "./scenario.ts";

const LIVE = 8;
const DAY = 200;
const STEADY: readonly Phase[] = [{ ms: 1000, perSecond: 250 }];

const concurrent: Setup = {
  rig: { limits: { live: { kind: "concurrency", limit: LIVE } }, reserves: 1 },
  // 10 at a time on average.
  run: { phases: STEADY, holdMs: 80 },
};

const daily: Setup = { rig: { limits: { day: { kind: "quota", limit: DAY } } } };

const kill: Setup["faults"] = async ({ rig, wait }) => {
  await wait(WAVE_MS);
  await Promise.all([rig.gateway(0).kill(), rig.gateway(1).kill()]);
  await wait(900);
  await Promise.all([rig.launch(0), rig.launch(1)]);
};

const restart: Setup["faults"] = async ({ store, wait }) => {
  await wait(WAVE_MS);
  await store.kill();
  await wait(300);
  await store.restart();
};

export const KINDS: readonly Scenario[] = [
  {
    name: "concurrency, no failure",
    row: "limit",
    run: async (conditions) =>
      judgeConcurrency(await stage(concurrent, conditions), LIVE, LIVE, 200),
  },
  {
    name: "concurrency, kill -9 of two gateways, which start again",
    row: "limit",
    run: async (conditions) => {
      const result = await stage({ ...concurrent, faults: kill }, conditions);
      return judgeConcurrency(result, LIVE, LIVE, 100);
    },
  },
  {
    name: "concurrency, SIGSTOP of two gateways for 2 leases",
    row: "limit + what is in flight at gateways that are cut off",
    run: async (conditions) => {
      const result = await stage({
        ...concurrent,
        faults: async ({ rig, wait }) => {
          await wait(WAVE_MS);
          for (const index of [0, 1]) rig.gateway(index).signal("SIGSTOP");
          await wait(2 * LEASE_MS / conditions.stretch);
          for (const index of [0, 1]) rig.gateway(index).signal("SIGCONT");
        },
      }, conditions);
      return judgeConcurrency(result, LIVE, 2 * LIVE, 100);
    },
  },
  {
    name: "concurrency, kill -9 of the server, data lost",
    row: "limit + what is in flight",
    run: async (conditions) => {
      const result = await stage({ ...concurrent, faults: restart }, conditions);
      return judgeConcurrency(result, LIVE, 2 * LIVE, 80);
    },
  },
  {
    name: "quota, no failure",
    row: "limit",
    run: async (conditions) => judgeQuota(await stage(daily, conditions), DAY, DAY, DAY * 0.9),
  },
  {
    name: "quota, kill -9 of two gateways, which start again",
    row: "limit; the credit of the dead is spent",
    run: async (conditions) => {
      const result = await stage({ ...daily, faults: kill }, conditions);
      return judgeQuota(result, DAY, DAY, DAY * 0.3);
    },
  },
  {
    name: "quota, kill -9 of the server, data kept",
    row: "limit",
    run: async (conditions) => {
      const result = await stage(
        { ...daily, server: { isDurable: true }, faults: restart },
        conditions,
      );
      return judgeQuota(result, DAY, DAY, DAY * 0.6);
    },
  },
  {
    name: "quota, kill -9 of the server, data lost",
    row: "2 * limit",
    run: async (conditions) => {
      const result = await stage({ ...daily, faults: restart }, conditions);
      return judgeQuota(result, DAY, 2 * DAY, DAY * 0.6);
    },
  },
  {
    name: "reservations of twice the cost, kill -9 of two gateways",
    row: "burst + rate * W",
    run: async (conditions) => {
      const result = await stage({
        rig: { reserves: 2 },
        run: { cost: 3, holdMs: 20 },
        faults: kill,
      }, conditions);
      return judgeRate(result, KEPT, 20);
    },
  },
];
