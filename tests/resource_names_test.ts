/** Pools of resources that share a name: one `max` for all, and what it does not count. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Factory, openPool, until } from "./fixtures/things.ts";
import "./support/web_worker.ts";

const SCRIPT = new URL("./fixtures/resource_worker.ts", import.meta.url);

/** A Worker that acquires resources on request. */
class Hand {
  readonly #worker = new Worker(SCRIPT, { type: "module" });
  readonly #options: { name: string; max: number };

  constructor(name: string, max: number) {
    this.#options = { name, max };
  }

  take(take: number): Promise<string> {
    const said = new Promise<string>((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
      this.#worker.onerror = (event) => reject(new Error(event.message));
    });
    this.#worker.postMessage({ ...this.#options, take });
    return said;
  }

  kill(): void {
    this.#worker.terminate();
  }
}

describe("ResourcePools of one name", () => {
  it("use no more than max together, and hand over to each other in order", async () => {
    const name = crypto.randomUUID();
    const [mine, theirs] = [new Factory(), new Factory()];
    await using one = openPool(mine, { name });
    await using two = openPool(theirs, { name });
    const held = [await one.acquire(), await two.acquire()];
    const order: string[] = [];
    const waits = [
      two.use(() => void order.push("two")),
      one.use(() => void order.push("one")),
    ];
    await sleep(30);
    assert.deepEqual([order, one.stats().waiting, two.stats().waiting], [[], 2, 2]);
    held[0]!.release();
    await Promise.all(waits);
    assert.deepEqual(order, ["two", "one"]);
    held[1]!.release();
  });

  it("keep idle resources to themselves, and do not count them", async () => {
    const name = crypto.randomUUID();
    const [mine, theirs] = [new Factory(), new Factory()];
    await using one = openPool(mine, { name });
    await using two = openPool(theirs, { name });
    for (const pool of [one, two]) {
      const held = [await pool.acquire(), await pool.acquire()];
      for (const lease of held) lease.release();
    }
    assert.deepEqual(
      [one.stats().idle, two.stats().idle],
      [2, 2],
      "as many in each as may be in use",
    );
    assert.deepEqual([mine.most, theirs.most], [2, 2]);
    await using lease = await one.acquire();
    assert.ok(mine.things.includes(lease.resource));
  });

  it("use no more than max over Workers, and get it back from a killed one", async () => {
    const name = crypto.randomUUID();
    const factory = new Factory();
    await using pool = openPool(factory, { name, max: 3 });
    const [hand, victim] = [new Hand(name, 3), new Hand(name, 3)];
    assert.equal(await hand.take(1), "held");
    assert.equal(await victim.take(2), "held");
    await assert.rejects(pool.acquire({ timeoutMs: 20 }), { code: "SLUICE_ACQUIRE_TIMEOUT" });
    const waits = [pool.acquire(), pool.acquire()];
    victim.kill();
    const leases = await Promise.all(waits);
    assert.equal(factory.open, 2);
    await assert.rejects(pool.acquire({ timeoutMs: 20 }), { code: "SLUICE_ACQUIRE_TIMEOUT" });
    assert.equal(await hand.take(0), "released");
    (await pool.acquire()).release();
    for (const lease of leases) lease.release();
    hand.kill();
  });

  it("do not count calls that continue after their timeout", async () => {
    let running = 0;
    const ends: (() => void)[] = [];
    const factory = new Factory();
    await using pool = openPool(factory, {
      max: 1,
      createTimeoutMs: 20,
      async create() {
        running++;
        await new Promise<void>((resolve) => ends.push(resolve));
        running--;
        return factory.create();
      },
    });
    for (let i = 1; i <= 3; i++) {
      await assert.rejects(pool.acquire(), { name: "TimeoutError" });
      assert.deepEqual([running, pool.stats().inTransit], [i, 0]);
    }
    for (const end of ends) end();
    await until(() => running === 0 && factory.things.length === 3);
    await until(() => factory.open === 0);
    assert.equal(pool.stats().idle, 0, "what came too late is destroyed");
  });
});
