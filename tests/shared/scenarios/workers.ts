/** Gateways that decide in Workers, which are terminated in the middle of calls. */
import { judgeRate, KEPT, type Scenario, stage } from "./scenario.ts";

export const WORKERS: readonly Scenario[] = [
  {
    name: "Workers terminated in the middle of calls",
    row: "burst + rate * W",
    run: async (conditions) => {
      const rig = { workers: 2, reserves: 1, shared: { mode: "auto" } };
      return judgeRate(await stage({ rig }, conditions), KEPT, 25);
    },
  },
];
