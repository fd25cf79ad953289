/**
 * Four gateways of two runtimes keep one limit through failures, by the upstream's count. Each scenario names the row of the
 * failure table that it checks.
 *
 * `SLUICE_RIG_ONLY="part of a name"` selects scenarios, `SLUICE_RIG_VERBOSE=1` prints a line about each.
 *
 * @module
 */
import assert from "node:assert/strict";
import process from "node:process";
import { before, describe, it } from "node:test";
import { NO_STORE } from "../support/store_server.ts";
import { SCENARIOS as ALL } from "./scenarios/all.ts";
import { AT_ONCE, lineOf, type Outcome, type Scenario } from "./scenarios/scenario.ts";

const SCENARIOS: readonly Scenario[] = ALL
  .filter(({ name }) => name.includes(process.env["SLUICE_RIG_ONLY"] ?? ""));

const outcomes = new Map<Scenario, PromiseWithResolvers<Outcome>>();
for (const scenario of SCENARIOS) outcomes.set(scenario, Promise.withResolvers());

/** Takes the next scenario until none is left. */
async function work(waiting: IterableIterator<[number, Scenario]>): Promise<void> {
  for (const [turn, scenario] of waiting) {
    const { promise, resolve, reject } = outcomes.get(scenario)!;
    // The test of the scenario reports it, perhaps later.
    promise.catch(() => {});
    await scenario.run({ stretch: 1, limiter: "sluice", turn }).then(resolve, reject);
  }
}

describe("four gateways", { skip: NO_STORE }, () => {
  before(() => {
    const waiting = SCENARIOS.filter(({ skip }) => !skip).entries();
    for (let i = 0; i < AT_ONCE; i++) void work(waiting);
  });

  for (const scenario of SCENARIOS) {
    const { name, row, skip = false } = scenario;
    it(`${name}: ${row}`, { skip, timeout: 170_000 }, async () => {
      const outcome = await outcomes.get(scenario)!.promise;
      if (process.env["SLUICE_RIG_VERBOSE"]) console.log(lineOf(scenario, outcome));
      assert.deepEqual(outcome.faults, []);
    });
  }
});
