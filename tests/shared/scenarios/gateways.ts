/** Gateways that work, die and hang. */
import { judgeRate, KEPT, LEASE_MS, type Scenario, stage, WAVE_MS } from "./scenario.ts";

const ROW = "burst + rate * W";

export const GATEWAYS: readonly Scenario[] = [
  ...(["auto", "exact", "leased"] as const).map((mode): Scenario => ({
    name: `no failure, mode ${mode}`,
    row: ROW,
    run: async (conditions) =>
      judgeRate(await stage({ rig: { shared: { mode } } }, conditions), KEPT, 60),
  })),
  {
    name: "kill -9 of two gateways, which start again",
    row: ROW,
    run: async (conditions) => {
      const result = await stage({
        faults: async ({ rig, wait }) => {
          await wait(WAVE_MS);
          await Promise.all([rig.gateway(0).kill(), rig.gateway(1).kill()]);
          await wait(900);
          await Promise.all([rig.launch(0), rig.launch(1)]);
        },
      }, conditions);
      return judgeRate(result, KEPT, 25);
    },
  },
  ...[0.5, 2.5].map((leases): Scenario => ({
    name: `SIGSTOP of two gateways for ${leases} times the lease`,
    row: ROW,
    run: async (conditions) => {
      const result = await stage({
        faults: async ({ rig, wait }) => {
          await wait(WAVE_MS);
          for (const index of [0, 1]) rig.gateway(index).signal("SIGSTOP");
          // In real time, as leases are.
          await wait(leases * LEASE_MS / conditions.stretch);
          for (const index of [0, 1]) rig.gateway(index).signal("SIGCONT");
        },
      }, conditions);
      return judgeRate(result, KEPT, 25);
    },
  })),
];
