/** A server that dies, hangs, and loses its data or its scripts. */
import type { Bound } from "../checker.ts";
import {
  BURST,
  judgeRate,
  KEPT,
  PER_MS,
  type Scenario,
  type Setup,
  stage,
  WAVE_MS,
} from "./scenario.ts";

const ROW = "burst + rate * W";
/** All is lost, and every key stands as a new one. Or all are cut off and return, while shares are not reported yet. */
const TWICE: Bound = { burst: 2 * BURST, perMs: PER_MS };

function scenario(
  name: string,
  row: string,
  bound: Bound,
  leastUsed: number,
  setup: Setup,
): Scenario {
  return {
    name,
    row,
    run: async (conditions) => judgeRate(await stage(setup, conditions), bound, leastUsed),
  };
}

const restart: Setup["faults"] = async ({ store, wait }) => {
  await wait(WAVE_MS);
  await store.kill();
  await wait(300);
  await store.restart();
};

const lose: Setup["faults"] = async ({ store, wait }) => {
  await wait(WAVE_MS);
  await store.command("flushall");
  await wait(1200);
  await store.command("flushall");
};

export const SERVER: readonly Scenario[] = [
  scenario("kill -9 of the server, data lost, fresh", "2 * burst + rate * W", TWICE, 25, {
    faults: restart,
  }),
  scenario("kill -9 of the server, data lost, strict", ROW, KEPT, 12, {
    isOld: true,
    rig: { shared: { onLoss: "strict" } },
    faults: restart,
  }),
  scenario("kill -9 of the server, data kept", ROW, KEPT, 25, {
    server: { isDurable: true },
    faults: restart,
  }),
  scenario("SIGSTOP of the server, closed", ROW, KEPT, 15, {
    faults: hang,
  }),
  scenario("SIGSTOP of the server, share", "2 * burst + rate * W", TWICE, 20, {
    rig: { shared: { onOutage: "share" } },
    faults: hang,
  }),
  scenario("FLUSHALL twice, strict", ROW, KEPT, 8, {
    isOld: true,
    rig: { shared: { onLoss: "strict" } },
    faults: lose,
  }),
  scenario("FLUSHALL, fresh", "2 * burst + rate * W", TWICE, 40, {
    faults: async ({ store, wait }) => {
      await wait(WAVE_MS);
      await store.command("flushall");
    },
  }),
  scenario("SCRIPT FLUSH", ROW, KEPT, 40, {
    faults: async ({ store, wait }) => {
      for (let i = 0; i < 3; i++) {
        await wait(700);
        await store.command("script", "flush");
      }
    },
  }),
];

async function hang({ store, wait }: Parameters<NonNullable<Setup["faults"]>>[0]): Promise<void> {
  await wait(WAVE_MS);
  store.pause();
  await wait(1800);
  store.resume();
}
