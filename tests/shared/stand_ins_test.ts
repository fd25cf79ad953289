/** Tests of the rig itself: it accepts a limiter that is right, and finds two that are wrong. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { NO_STORE } from "../support/store_server.ts";
import type { RunResult } from "./rig.ts";
import { judgeRate, KEPT, stage } from "./scenarios/scenario.ts";
import type { GatewaySettings } from "./settings.ts";

/** Runs through a pause of the server. */
async function runStandIn(limiter: GatewaySettings["limiter"], ms: number): Promise<RunResult> {
  return await stage({
    run: { ms, phases: [{ ms: 1000, perSecond: 800 }] },
    faults: async ({ store, wait }) => {
      await wait(1200);
      store.pause();
      await wait(1500);
      store.resume();
    },
  }, { stretch: 1, limiter, turn: 0 });
}

/** The runs, all at once. */
const runs = {
  central: Promise.withResolvers<RunResult>(),
  open: Promise.withResolvers<RunResult>(),
  periodic: Promise.withResolvers<RunResult>(),
};

describe("the rig", { skip: NO_STORE }, () => {
  before(() => {
    // Counters are not made for a pause: their run ends before it.
    for (const [limiter, ms] of [["central", 3500], ["open", 3500], ["periodic", 1100]] as const) {
      runStandIn(limiter, ms).then(runs[limiter].resolve, runs[limiter].reject);
    }
  });

  it("accepts one bucket in the store", { timeout: 60_000 }, async () => {
    const { faults } = judgeRate(await runs.central.promise, KEPT, 20);
    assert.deepEqual(faults, []);
  });

  it("finds that one admits too much that admits everything in an outage", {
    timeout: 60_000,
  }, async () => {
    const { overPercent, faults } = judgeRate(await runs.open.promise, KEPT, 20);
    assert.ok(overPercent > 5, `only ${overPercent} % over`);
    assert.match(faults.join(), /% over the bound of the row/);
  });

  it("finds that counters which are synchronized now and then admit too much", {
    timeout: 60_000,
  }, async () => {
    const { overPercent } = judgeRate(await runs.periodic.promise, KEPT, 20);
    assert.ok(overPercent > 5, `only ${overPercent} % over`);
  });
});
