/** Resources are lent to one user at a time, in order, and at most `max` at once. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { ResourcePool } from "../src/pool/resource_pool.ts";
import { Factory, openPool } from "./fixtures/things.ts";

describe("ResourcePool", () => {
  it("makes a resource for the first request and reuses it for the next", async () => {
    const factory = new Factory();
    await using pool = openPool(factory);
    for (let i = 0; i < 5; i++) {
      await using lease = await pool.acquire();
      assert.equal(lease.resource.number, 0);
    }
    assert.deepEqual(pool.stats(), {
      inUse: 0,
      idle: 1,
      inTransit: 0,
      waiting: 0,
      created: 1,
      destroyed: 0,
      leaked: 0,
    });
  });

  it("lends no more than max, and serves queued requests in order", async () => {
    const factory = new Factory();
    await using pool = openPool(factory, { max: 1 });
    const first = await pool.acquire();
    const order: number[] = [];
    const waiting = [0, 1, 2].map((i) =>
      pool.use(() => {
        order.push(i);
      })
    );
    await sleep(5);
    assert.equal(pool.stats().waiting, 3);
    assert.equal(first.release(), true);
    await Promise.all(waiting);
    assert.deepEqual(order, [0, 1, 2]);
    assert.equal(factory.most, 1);
  });

  it("serves requests of higher priority first", async () => {
    await using pool = openPool(new Factory(), { max: 1 });
    const first = await pool.acquire();
    const order: string[] = [];
    const low = pool.use(() => void order.push("low"));
    const high = pool.use(() => void order.push("high"), { priority: 2 });
    await sleep(5);
    first.release();
    await Promise.all([low, high]);
    assert.deepEqual(order, ["high", "low"]);
  });

  it("takes a resource back once", async () => {
    const factory = new Factory();
    await using pool = openPool(factory);
    const lease = await pool.acquire();
    assert.equal(lease.release(), true);
    assert.equal(lease.release(), false);
    await lease.destroy();
    assert.equal(factory.open, 1);
    assert.equal(pool.stats().idle, 1);
  });

  it("destroys a resource after a failed use, and on request", async () => {
    const factory = new Factory();
    await using pool = openPool(factory);
    const fail = () => {
      throw new Error("in the midst of a transaction");
    };
    await assert.rejects(pool.use(fail), /transaction/);
    assert.equal(factory.open, 0);
    const lease = await pool.acquire();
    await lease.destroy();
    assert.deepEqual(factory.things.map(({ isDestroyed }) => isDestroyed), [true, true]);
    assert.equal(await pool.use(({ number }) => number), 2);
  });

  it("uses the newest or the oldest idle one next", async () => {
    for (const [reuse, expected] of [["newest", 1], ["oldest", 0]] as const) {
      await using pool = openPool(new Factory(), { reuse });
      const [a, b] = [await pool.acquire(), await pool.acquire()];
      a.release();
      await sleep(2);
      b.release();
      assert.equal(await pool.use(({ number }) => number), expected);
    }
  });

  it("reports events, and ignores what the listener throws", async () => {
    const types: string[] = [];
    const pool = openPool(new Factory(), {
      destroy() {
        throw new Error("cannot");
      },
      onEvent({ type }) {
        types.push(type);
        throw new Error("a listener's own");
      },
    });
    await pool.use(() => {});
    await pool.close();
    assert.deepEqual(types, ["created", "acquired", "released", "destroy-failed", "destroyed"]);
  });

  it("never has more than max and never lends one twice, under random calls", async () => {
    const action = fc.record({
      hold: fc.integer({ min: 0, max: 3 }),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      ending: fc.constantFrom("release", "destroy", "throw", "spoil"),
      createFails: fc.boolean(),
    });
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(action, { minLength: 1, maxLength: 30 }),
      async (max, actions) => {
        const factory = new Factory();
        let failures = 0;
        const pool = openPool(factory, {
          max,
          validate: ({ isGood }) => isGood,
          async create() {
            await sleep(1);
            if (failures > 0 && failures-- > 0) throw new Error("create failed");
            return factory.create();
          },
          async destroy(thing) {
            await sleep(1);
            factory.destroy(thing);
          },
        });
        await Promise.all(actions.map(async ({ hold, timeoutMs, ending, createFails }) => {
          if (createFails) failures++;
          try {
            await pool.use(async (thing) => {
              assert.equal(++thing.users, 1, "lent to two");
              assert.equal(thing.isDestroyed, false, "lent after its end");
              await sleep(hold);
              thing.users--;
              if (ending === "spoil") thing.isGood = false;
              if (ending === "throw") throw new Error("use failed");
            }, timeoutMs === undefined ? {} : { timeoutMs });
          } catch (error) {
            if (error instanceof assert.AssertionError) throw error;
          }
        }));
        assert.ok(factory.most <= max, `${factory.most} of ${max}`);
        await pool.close();
        assert.equal(factory.open, 0);
        assert.equal(pool.stats().inUse, 0);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  it("refuses options of the wrong type or value", () => {
    const make = (options: object) => () => new ResourcePool(options as never);
    const create = () => 1;
    assert.throws(make({ max: 1 }), {
      name: "TypeError",
      message: "options.create must be a function, not undefined",
    });
    assert.throws(make({ create, max: 0 }), {
      name: "RangeError",
      message: "options.max must be an integer from 1 to 131072, not 0",
    });
    assert.throws(make({ create, max: 2, min: 3 }), /options.min must be an integer from 0 to 2/);
    assert.throws(make({ create, max: "2" }), { name: "TypeError" });
    assert.throws(make({ create, max: 2, idleTimeoutMs: NaN }), { name: "RangeError" });
    assert.throws(make({ create, max: 2, reuse: "any" }), /"newest" or "oldest", not "any"/);
  });
});
