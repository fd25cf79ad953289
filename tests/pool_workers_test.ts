/** A pool in many Workers: shared counts and queue, nothing lost when a Worker is killed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PoolOptions, UpstreamPool } from "../mod.ts";
import type { Job, Reply } from "./fixtures/pool_worker.ts";
import "./support/web_worker.ts";

const SCRIPT = new URL("./fixtures/pool_worker.ts", import.meta.url);

function options(more: Partial<PoolOptions> = {}): PoolOptions {
  const upstreams = [{ id: "a", maxInFlight: 2 }, { id: "b", maxInFlight: 2 }];
  return { name: crypto.randomUUID(), upstreams, ...more };
}

/** A Worker and its messages. */
class Hand {
  readonly #worker = new Worker(SCRIPT, { type: "module" });
  readonly #said: Reply[] = [];
  #heard: (() => void) | undefined;
  #failure: Error | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      this.#said.push(data);
      this.#heard?.();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failure = new Error(event.message);
      this.#heard?.();
    };
  }

  say(job: Job): void {
    this.#worker.postMessage(job);
  }

  async hear<K extends Reply["kind"]>(kind: K): Promise<Extract<Reply, { kind: K }>> {
    for (;;) {
      const reply = this.#said.shift();
      if (reply !== undefined) {
        assert.equal(reply.kind, kind, JSON.stringify(reply));
        return reply as Extract<Reply, { kind: K }>;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#heard = resolve);
    }
  }

  ask<K extends Reply["kind"]>(job: Job, kind: K): Promise<Extract<Reply, { kind: K }>> {
    this.say(job);
    return this.hear(kind);
  }

  kill(): void {
    this.#worker.terminate();
  }
}

async function eventually(done: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !done();) {
    assert.ok(Date.now() < end, `${what}: not within ten seconds`);
    await sleep(5);
  }
}

describe("a pool in many Workers", () => {
  it("is one pool with one set of limits", async () => {
    const shared = options();
    using pool = new UpstreamPool(shared);
    const hand = new Hand();
    const { upstreams } = await hand.ask({ kind: "hold", options: shared, leases: 3 }, "held");
    assert.deepEqual(upstreams.sort(), ["a", "a", "b"]);
    assert.equal(pool.tryAcquire()?.upstream, "b");
    assert.equal(pool.tryAcquire(), null);
    assert.equal(pool.stats().inFlight, 4);
    assert.equal(pool.stats().ownInFlight, 1);
    const other = new Hand();
    const mismatch = { ...shared, leaseTtlMs: 7 };
    const refusal = await other.ask({ kind: "hold", options: mismatch, leases: 1 }, "refused");
    assert.equal(refusal.code, "SLUICE_POOL_MISMATCH");
    hand.kill();
    other.kill();
  });

  it("grants a lease to a request of another Worker, and wakes it fast the second time", async () => {
    const shared = options({ upstreams: [{ id: "a", maxInFlight: 1 }] });
    using pool = new UpstreamPool(shared);
    const hand = new Hand();
    const took: number[] = [];
    for (let i = 0; i < 40; i++) {
      const lease = await pool.acquire();
      await hand.ask({ kind: "wait", options: shared, waiters: 1 }, "waiting");
      const released = performance.now();
      lease.release();
      assert.equal(pool.tryAcquire(), null, "it is the other's already");
      await hand.hear("granted");
      took.push(performance.now() - released);
      const mine = pool.acquire();
      await hand.ask({ kind: "release" }, "released");
      (await mine).release();
    }
    const later = took.slice(10).sort((a, b) => a - b);
    // Without the bell it takes a poll of 20 ms.
    assert.ok(later[15]! < 15, `median ${later[15]} ms`);
    hand.kill();
  });

  it("takes leases back from a killed Worker, and grants them to queued requests", async () => {
    const shared = options();
    const events: unknown[] = [];
    using pool = new UpstreamPool({ ...shared, onEvent: (event) => events.push(event) });
    const hand = new Hand();
    await hand.ask({ kind: "hold", options: shared, leases: 4 }, "held");
    const waits = [pool.acquire(), pool.acquire()];
    hand.kill();
    const started = performance.now();
    for (const lease of await Promise.all(waits)) lease.release();
    assert.ok(performance.now() - started < 5000);
    assert.equal(pool.stats().inFlight, 0);
    assert.equal(pool.stats().reaped, 4);
    assert.equal(pool.stats().members, 1);
    await eventually(() => events.length > 0, "the event");
    assert.deepEqual(events, [{ type: "reaped", leases: 4, waiters: 0 }]);
  });

  // oven-sh/bun#40972: the first load of a library in many fresh Workers at once crashed.
  it("is opened by 32 Workers at once, and has no members after they are killed", async () => {
    const shared = options({ upstreams: [{ id: "a", maxInFlight: 1000 }] });
    using pool = new UpstreamPool(shared);
    const hands = Array.from({ length: 32 }, () => new Hand());
    const hold = { kind: "hold", options: shared, leases: 5 } as const;
    await Promise.all(hands.map((hand) => hand.ask(hold, "held")));
    assert.deepEqual([pool.stats().inFlight, pool.stats().members], [160, 33]);
    hands.forEach((hand) => hand.kill());
    await eventually(() => pool.stats().members === 1, "all members gone");
    assert.deepEqual([pool.stats().inFlight, pool.stats().reaped], [0, 160]);
  });

  it("removes the queued requests of a killed Worker", async () => {
    const shared = options({ upstreams: [{ id: "a", maxInFlight: 1 }] });
    using pool = new UpstreamPool(shared);
    const lease = await pool.acquire();
    const hand = new Hand();
    await hand.ask({ kind: "wait", options: shared, waiters: 20 }, "waiting");
    await eventually(() => pool.stats().waiting === 20, "twenty in line");
    const mine = pool.acquire();
    hand.kill();
    await eventually(() => pool.stats().waiting === 1, "its places given up");
    lease.release();
    (await mine).release();
    assert.equal(pool.stats().inFlight, 0);
  });

  it("does not let a blocked Worker keep uncollected leases", async () => {
    const shared = options({ upstreams: [{ id: "a", maxInFlight: 1 }] });
    using pool = new UpstreamPool(shared);
    const lease = await pool.acquire();
    const hand = new Hand();
    await hand.ask({ kind: "wait", options: shared, waiters: 1 }, "waiting");
    await eventually(() => pool.stats().waiting === 1, "it waits");
    const mine = pool.acquire();
    await hand.ask({ kind: "block", ms: 2500 }, "blocking");
    lease.release();
    const started = performance.now();
    const next = await mine;
    const took = performance.now() - started;
    assert.ok(took > 800 && took < 2400, `${took} ms`);
    next.release();
    await hand.hear("granted");
    await hand.ask({ kind: "release" }, "released");
    assert.equal(pool.stats().inFlight, 0);
    hand.kill();
  });

  it("loses nothing under random waits, aborts and kills", async () => {
    const shared = options({ maxInFlight: 3, queue: { max: 10_000 } });
    using pool = new UpstreamPool(shared);
    const steady = [new Hand(), new Hand()];
    const churn = { kind: "churn", options: shared, tasks: 8, rounds: 60 } as const;
    const done = steady.map((hand) => hand.ask(churn, "churned"));
    let highest = 0;
    const watch = setInterval(() => highest = Math.max(highest, pool.stats().inFlight), 1);
    const victims = Array.from({ length: 6 }, async (_, i) => {
      const victim = new Hand();
      victim.say({ ...churn, rounds: 1e6 });
      await sleep(100 + 40 * i);
      victim.kill();
    });
    await Promise.all(victims);
    for (const { acquired, aborted } of await Promise.all(done)) {
      assert.equal(acquired + aborted, 8 * 60);
      assert.ok(acquired > 0);
    }
    await eventually(() => pool.stats().inFlight === 0, "all leases back");
    clearInterval(watch);
    assert.ok(highest <= 3, `${highest} in flight`);
    assert.equal(pool.stats().waiting, 0);
    steady.forEach((hand) => hand.kill());
    await eventually(() => pool.stats().members === 1, "all members gone");
  });
});
