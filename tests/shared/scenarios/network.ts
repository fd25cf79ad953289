/** Connections that are slow, lose bytes, hold them back, or break. */
import type { Bound } from "../checker.ts";
import { BURST, judgeRate, KEPT, PER_MS, type Scenario, stage, WAVE_MS } from "./scenario.ts";

const ROW = "burst + rate * W";
/** Two of four are cut off, and admit by their shares beside the others. */
const HALF: Bound = { burst: 1.5 * BURST, perMs: 1.5 * PER_MS };

const isCutOff = (gateway: number) => gateway >= 2;

export const NETWORK: readonly Scenario[] = [
  ...([["share", "3/2 * (burst + rate * W)", HALF], ["closed", ROW, KEPT]] as const).map(
    ([onOutage, row, bound]): Scenario => ({
      name: `two of four gateways cut off, ${onOutage}`,
      row,
      run: async (conditions) => {
        const result = await stage({
          isLinked: isCutOff,
          rig: { shared: { onOutage } },
          faults: async ({ link, wait }) => {
            await wait(WAVE_MS);
            link.stall("all");
            await wait(1800);
            link.stall("nothing");
          },
        }, conditions);
        return judgeRate(result, bound, 30);
      },
    }),
  ),
  {
    name: "answers lost, and connections broken",
    row: ROW,
    run: async (conditions) => {
      const result = await stage({
        isLinked: isCutOff,
        faults: async ({ link, wait }) => {
          for (let i = 0; i < 4; i++) {
            await wait(400);
            link.stall("answers");
            await wait(250);
            if (i % 2 === 0) link.cut();
            link.stall("nothing");
          }
        },
      }, conditions);
      return judgeRate(result, KEPT, 30);
    },
  },
  {
    name: "20 ms of delay, and 1 % of pieces lost",
    row: ROW,
    run: async (conditions) => {
      const result = await stage({
        isLinked: () => true,
        rig: { shared: { timeoutMs: 1000 } },
        faults: ({ link }) => {
          link.delayMs = 10;
          link.lostPerMille = 10;
          return Promise.resolve();
        },
      }, conditions);
      return judgeRate(result, KEPT, 30);
    },
  },
];
