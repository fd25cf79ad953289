/** Clocks that step and drift. */
import { NO_FAKE_TIME, NO_FAKED_SERVER } from "../../support/fake_time.ts";
import type { Bound } from "../checker.ts";
import { BURST, judgeRate, KEPT, PER_MS, type Scenario, stage, WAVE_MS } from "./scenario.ts";

const ROW = "burst + rate * W";
const TWICE: Bound = { burst: 2 * BURST, perMs: PER_MS };

function serverScenario(
  name: string,
  row: string,
  bound: Bound,
  leastUsed: number,
  ...settings: readonly string[]
): Scenario {
  return {
    name,
    row,
    skip: NO_FAKED_SERVER,
    run: async (conditions) => {
      const result = await stage({
        clocks: "server",
        faults: async ({ clock, wait }) => {
          await wait(WAVE_MS);
          for (const setting of settings) {
            clock.set(setting);
            await wait(1200);
          }
        },
      }, conditions);
      return judgeRate(result, bound, leastUsed);
    },
  };
}

export const CLOCKS: readonly Scenario[] = [
  serverScenario(
    "the server's clock steps forward by an hour",
    "burst + min(burst, rate * step) + rate * W",
    TWICE,
    40,
    "+3600",
  ),
  serverScenario("the server's clock steps back by an hour", ROW, KEPT, 25, "-3600"),
  serverScenario("the server's clock runs slow by a tenth", ROW, KEPT, 40, "+0 x0.9"),
  {
    name: "wall clocks of gateways step by an hour, forward and back",
    row: ROW,
    skip: NO_FAKE_TIME,
    run: async (conditions) => {
      const result = await stage({
        clocks: (gateway) => gateway < 2 ? "wall" : undefined,
        faults: async ({ clock, wait }) => {
          await wait(WAVE_MS);
          for (const setting of ["+3600", "-3600"]) {
            clock.set(setting);
            await wait(1200);
          }
        },
      }, conditions);
      return judgeRate(result, KEPT, 40);
    },
  },
  {
    name: "all clocks of two gateways run slow by a tenth",
    row: "burst + credit of the two + rate * W",
    skip: NO_FAKE_TIME,
    run: async (conditions) => {
      const result = await stage({
        clocks: (gateway) => gateway < 2 ? "all" : undefined,
        faults: ({ clock }) => {
          clock.set("+0 x0.9");
          return Promise.resolve();
        },
      }, conditions);
      return judgeRate(result, TWICE, 40);
    },
  },
];
