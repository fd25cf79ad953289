/** What a gateway holds comes back when it leaves: at once if it says goodbye, and else at the end of its lease. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { NO_STORE, StoreServer } from "../support/store_server.ts";
import { total } from "./checker.ts";
import { Rig } from "./rig.ts";
import type { LoadReport } from "./settings.ts";

const LIMIT = 200;
/** Longer than the test, and credit that is not used for a third of it is still held. */
const LEASE_MS = 20_000;
const QUOTA = { day: { kind: "quota", limit: LIMIT } } as const;
const HALF = [{ ms: 1000, perSecond: 100 }];
/** Much more than is left, also on a busy machine. */
const MORE = [{ ms: 2000, perSecond: 400 }];

/** What was used in all, and what the two loads met. */
interface Use {
  readonly amount: number;
  readonly reports: readonly LoadReport[];
}

/**
 * One gateway uses a quota in part, and holds credit beside. It leaves, and the other one uses what it gets. Returns how
 * much of the quota was used in all.
 */
async function useAfter(
  leaver: 0 | 1,
  leave: (rig: Rig, leaver: number) => Promise<unknown>,
): Promise<Use> {
  await using store = await StoreServer.start();
  await using rig = await Rig.start({
    stores: [store.port],
    limits: QUOTA,
    // What times out is refused, and may have been charged.
    shared: { mode: "leased", leaseMs: LEASE_MS, timeoutMs: 5000 },
    gateways: 2,
  });
  const first = await rig.run({ ms: 1000, phases: HALF, to: [leaver] });
  await leave(rig, leaver);
  const second = await rig.run({ ms: 2000, phases: MORE, to: [1 - leaver] });
  return { amount: total(second.admissions), reports: [first.report, second.report] };
}

/** How a gateway leaves, and what is used in all then. */
const WAYS = [
  {
    name: "is back at once after close()",
    leave: (rig: Rig, leaver: number) => rig.close(leaver),
    isRight: (used: number) => used === LIMIT,
  },
  {
    name: "is back at once after SIGTERM, which ends the process",
    leave: async (rig: Rig, leaver: number) => {
      rig.gateway(leaver).signal("SIGTERM");
      assert.match(String(await rig.gateway(leaver).ended()), /^(SIGTERM|143)$/);
    },
    isRight: (used: number) => used === LIMIT,
  },
  {
    name: "is not back before the end of the lease after kill -9",
    leave: (rig: Rig, leaver: number) => rig.gateway(leaver).kill(),
    isRight: (used: number) => used < LIMIT && used > LIMIT / 2,
  },
];

const CASES = WAYS.flatMap((way) =>
  ([[0, "Bun"], [1, "Deno"]] as const).map(([leaver, runtime]) => ({
    ...{ way, leaver, runtime },
    used: Promise.withResolvers<Use>(),
  }))
);

describe("credit of a gateway that leaves", { skip: NO_STORE }, () => {
  before(() => {
    for (const { way, leaver, used } of CASES) {
      used.promise.catch(() => {});
      useAfter(leaver, way.leave).then(used.resolve, used.reject);
    }
  });

  for (const { way, runtime, used } of CASES) {
    it(`${way.name}, ${runtime}`, { timeout: 60_000 }, async () => {
      const { amount, reports } = await used.promise;
      assert.ok(way.isRight(amount), `${amount} of ${LIMIT} used: ${JSON.stringify(reports)}`);
    });
  }
});
