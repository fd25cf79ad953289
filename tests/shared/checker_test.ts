import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type Admission,
  type Bound,
  judge,
  peakInFlight,
  peakProven,
  peakSeen,
  total,
} from "./checker.ts";

const BOUND: Bound = { burst: 10, perMs: 0.1 };

function admission(asked: number, at: number, cost = 1, end = at): Admission {
  return { asked, decided: at, at, end, cost, key: "a", gateway: "0", source: "store" };
}

/** All windows from an `asked` to a `decided`, one by one. */
function slowPeakProven(admissions: readonly Admission[], { perMs }: Bound): number {
  let peak = 0;
  for (const { asked: from } of admissions) {
    for (const { decided: to } of admissions) {
      const inside = admissions.filter(({ asked, decided }) => asked >= from && decided <= to);
      if (inside.length > 0) peak = Math.max(peak, total(inside) - (to - from) * perMs);
    }
  }
  return peak;
}

/** The definition: all windows between two admissions by the upstream's clock. */
function slowPeakSeen(admissions: readonly Admission[], { perMs }: Bound): number {
  return slowPeakProven(admissions.map(({ at, cost }) => admission(at, at, cost)), {
    burst: 0,
    perMs,
  });
}

const logs = fc.array(
  fc.record({ asked: fc.nat(500), delay: fc.nat(100), cost: fc.integer({ min: 1, max: 9 }) }),
  { maxLength: 40 },
).map((rows) => rows.map(({ asked, delay, cost }) => admission(asked, asked + delay, cost)));

describe("the checker", () => {
  it("finds the worst window of a log by hand", () => {
    // 5 at 0 and 4 at 20 in a window of 20 ms that leaks 2; the others are late enough.
    const log = [admission(0, 0, 5), admission(20, 20, 4), admission(200, 200, 3)];
    assert.equal(peakSeen(log, BOUND), 7);
    assert.equal(peakProven(log, BOUND), 7);
    assert.equal(total(log), 12);
  });

  it("does not blame a limiter for what was delayed behind it", () => {
    // Decided 100 ms apart, and delivered at once.
    const log = [admission(0, 200, 10), admission(100, 200, 10), admission(200, 200, 10)];
    assert.equal(peakSeen(log, BOUND), 30);
    assert.equal(peakProven(log, BOUND), 10);
  });

  it("proves an excess however the unknown times are chosen", () => {
    const log = [admission(0, 5, 6), admission(3, 9, 6)];
    assert.ok(Math.abs(peakProven(log, BOUND) - 11.1) < 1e-9);
    const { overPercent } = judge(log, BOUND, 9);
    assert.ok(Math.abs(overPercent - 11) < 1e-9);
  });

  it("counts what is in flight, and lets an end make room", () => {
    const log = [admission(0, 0, 1, 10), admission(0, 5, 1, 20), admission(0, 10, 1, 30)];
    assert.equal(peakInFlight(log), 2);
  });

  it("says how much of a central bucket was used, and how slow the slowest was", () => {
    const verdict = judge([admission(0, 30, 5), admission(90, 100, 10)], BOUND, 100);
    assert.equal(verdict.usedPercent, 75);
    assert.equal(verdict.seenPercent, 0);
    assert.equal(verdict.slowestMs, 30);
    assert.ok(verdict.overPercent <= 0);
  });

  it("has nothing to say about an empty log", () => {
    assert.equal(peakSeen([], BOUND), 0);
    assert.equal(peakProven([], BOUND), 0);
    assert.equal(peakInFlight([]), 0);
  });

  it("equals the definition", () => {
    fc.assert(fc.property(logs, (log) => {
      assert.ok(Math.abs(peakSeen(log, BOUND) - slowPeakSeen(log, BOUND)) < 1e-6);
      assert.ok(Math.abs(peakProven(log, BOUND) - slowPeakProven(log, BOUND)) < 1e-6);
    }));
  });

  it("accepts each log of a bucket that decided somewhere between asking and arriving", () => {
    fc.assert(fc.property(logs, fc.infiniteStream(fc.nat(100)), (log, delays) => {
      // A bucket decides at `asked`; what it admits arrives later.
      let level = 0;
      let last = 0;
      const admitted: Admission[] = [];
      for (const { asked, cost } of log.toSorted((a, b) => a.asked - b.asked)) {
        level = Math.max(0, level - (asked - last) * BOUND.perMs);
        last = asked;
        if (level + cost > BOUND.burst) continue;
        level += cost;
        admitted.push(admission(asked - delays.next().value!, asked + delays.next().value!, cost));
      }
      assert.ok(peakProven(admitted, BOUND) <= BOUND.burst + 1e-6);
    }));
  });
});
