/** Resources are made, looked over, lent to one at a time, and ended; no more than `max` at once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { Redis } from "ioredis";
import type { ResourceEvent, ResourcePoolOptions } from "../src/pool/resource_options.ts";
import { ResourcePool } from "../src/pool/resource_pool.ts";
import { collectUntil } from "./fixtures/garbage.ts";
import { RespServer } from "./fixtures/resp_server.ts";

/** A resource that knows what happened to it. */
interface Thing {
  readonly number: number;
  isGood: boolean;
  isDestroyed: boolean;
  users: number;
}

/** A factory of things that counts them. */
class Factory {
  readonly things: Thing[] = [];
  most = 0;

  readonly create = (): Thing => {
    const thing = { number: this.things.length, isGood: true, isDestroyed: false, users: 0 };
    this.things.push(thing);
    this.most = Math.max(this.most, this.open);
    return thing;
  };

  readonly destroy = (thing: Thing): void => {
    assert.equal(thing.isDestroyed, false, "destroyed twice");
    assert.equal(thing.users, 0, "destroyed in use");
    thing.isDestroyed = true;
  };

  get open(): number {
    return this.things.filter(({ isDestroyed }) => !isDestroyed).length;
  }
}

function openPool(factory: Factory, options: Partial<ResourcePoolOptions<Thing>> = {}) {
  return new ResourcePool<Thing>({
    create: factory.create,
    destroy: factory.destroy,
    max: 2,
    ...options,
  });
}

async function until(condition: () => boolean, milliseconds = 5000) {
  const deadline = performance.now() + milliseconds;
  while (!condition() && performance.now() < deadline) await sleep(5);
  assert.ok(condition(), `still not so after ${milliseconds} ms: ${condition}`);
}

describe("ResourcePool", () => {
  it("makes a resource for the first and uses it again for the next", async () => {
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

  it("lends no more than max, and hands over to who waits in order", async () => {
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

  it("lets who has priority go first", async () => {
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

  it("destroys what validate refuses, what it throws at, and what it takes too long over", async () => {
    const factory = new Factory();
    const events: ResourceEvent<Thing>[] = [];
    await using pool = openPool(factory, {
      validateTimeoutMs: 20,
      onEvent: (event) => events.push(event),
      validate({ number }) {
        if (number === 0) return false;
        if (number === 1) throw new Error("no answer");
        return number === 2 ? new Promise<boolean>(() => {}) : true;
      },
    });
    for (let i = 0; i < 5; i++) await pool.use(() => {});
    assert.deepEqual(factory.things.map(({ isDestroyed }) => isDestroyed), [
      true,
      true,
      true,
      false,
    ]);
    const failures = events.filter(({ type }) => type === "validate-failed");
    assert.equal(failures.length, 2);
  });

  it("destroys what a failed use leaves behind, and what it is asked to", async () => {
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

  it("passes on what create throws, frees the place, and goes on", async () => {
    let failing = true;
    const factory = new Factory();
    await using pool = openPool(factory, {
      max: 1,
      create() {
        if (failing) throw new Error("refused");
        return factory.create();
      },
    });
    for (let i = 0; i < 3; i++) await assert.rejects(pool.acquire(), /refused/);
    failing = false;
    assert.equal(await pool.use(({ number }) => number), 0);
  });

  it("gives up on a create that takes too long, and destroys what comes of it", async () => {
    const factory = new Factory();
    let wasAborted = false;
    await using pool = openPool(factory, {
      createTimeoutMs: 20,
      async create(signal) {
        await sleep(60);
        wasAborted = signal.aborted;
        return factory.create();
      },
    });
    await assert.rejects(pool.acquire(), { name: "TimeoutError" });
    await until(() => factory.things[0]?.isDestroyed === true);
    assert.ok(wasAborted);
    assert.equal(pool.stats().inUse, 0);
  });

  it("leaves what is being made to others when who asked for it is gone", async () => {
    const factory = new Factory();
    await using pool = openPool(factory, {
      max: 1,
      async create() {
        await sleep(40);
        return factory.create();
      },
    });
    const controller = new AbortController();
    const aborted = pool.acquire({ signal: controller.signal });
    const timedOut = pool.acquire({ timeoutMs: 20 });
    const patient = pool.use(({ number }) => number);
    setTimeout(() => controller.abort(new Error("gone")), 10);
    await assert.rejects(aborted, /gone/);
    await assert.rejects(timedOut, { code: "SLUICE_ACQUIRE_TIMEOUT" });
    assert.equal(await patient, 0);
    assert.equal(factory.things.length, 1);
  });

  it("ends what is idle for too long, down to min", async () => {
    const factory = new Factory();
    await using pool = openPool(factory, { max: 4, min: 1, idleTimeoutMs: 60 });
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    for (const lease of leases) lease.release();
    assert.equal(pool.stats().idle, 4);
    await until(() => factory.open === 1);
    await sleep(150);
    assert.equal(factory.open, 1);
    assert.equal(factory.things.length, 4, "what is within min is kept, not made anew");
  });

  it("keeps the place of what it ends, so that there is never one more", async () => {
    const factory = new Factory();
    let isEnding = false;
    await using pool = openPool(factory, {
      max: 1,
      idleTimeoutMs: 30,
      async destroy(thing) {
        isEnding = true;
        await sleep(40);
        factory.destroy(thing);
      },
    });
    await pool.use(() => {});
    await until(() => isEnding);
    assert.equal(await pool.use(({ number }) => number), 1);
    assert.equal(factory.most, 1);
  });

  it("makes min ahead and keeps it", async () => {
    const factory = new Factory();
    await using pool = openPool(factory, { max: 4, min: 3 });
    await until(() => pool.stats().idle === 3);
    const lease = await pool.acquire();
    await lease.destroy();
    await until(() => factory.open === 3);
    assert.equal(factory.most, 3);
  });

  it("ends lives with jitter, in use or idle, but never under the user's hands", async () => {
    const factory = new Factory();
    const events: ResourceEvent<Thing>[] = [];
    await using pool = openPool(factory, {
      max: 20,
      maxLifetimeMs: 200,
      lifetimeJitter: 0.5,
      onEvent: (event) => events.push(event),
    });
    const leases = await Promise.all(Array.from({ length: 20 }, () => pool.acquire()));
    const held = leases.pop()!;
    for (const lease of leases) lease.release();
    const ends: number[] = [];
    const start = performance.now();
    await until(() => {
      while (ends.length < 20 - factory.open) ends.push(performance.now() - start);
      return factory.open === 1;
    });
    assert.ok(ends.at(-1)! - ends[0]! > 20, `all ended within ${ends.at(-1)! - ends[0]!} ms`);
    assert.equal(held.resource.isDestroyed, false);
    held.release();
    await until(() => factory.open === 0);
    const reasons = events.flatMap((event) => event.type === "destroyed" ? [event.reason] : []);
    assert.deepEqual(new Set(reasons), new Set(["lifetime"]));
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

  it("refuses who waits when it is closed, and destroys what comes back", async () => {
    const factory = new Factory();
    const pool = openPool(factory, { max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    const refused = assert.rejects(waiting, { code: "SLUICE_POOL_CLOSED" });
    await sleep(5);
    await pool.close();
    await refused;
    assert.equal(factory.open, 1);
    lease.release();
    await until(() => factory.open === 0);
    await assert.rejects(pool.acquire(), { code: "SLUICE_DISPOSED" });
    await pool.close();
  });

  it("drains: lends no more, waits for what is out, and closes", async () => {
    const factory = new Factory();
    const pool = openPool(factory);
    const lease = await pool.acquire();
    let isDrained = false;
    const drained = pool.drain().then(() => isDrained = true);
    await sleep(30);
    assert.equal(isDrained, false);
    await assert.rejects(pool.acquire());
    lease.release();
    await drained;
    assert.equal(factory.open, 0);
  });

  it("closes while resources are being made", async () => {
    const factory = new Factory();
    const pool = openPool(factory, {
      async create() {
        await sleep(30);
        return factory.create();
      },
    });
    const refused = assert.rejects(pool.acquire(), { code: "SLUICE_DISPOSED" });
    await sleep(5);
    await pool.close();
    await refused;
    await until(() => factory.things.length === 1 && factory.open === 0);
  });

  it("does not wait for a create without an end when it is closed", async () => {
    const pool = openPool(new Factory(), { create: () => new Promise<Thing>(() => {}) });
    const refused = assert.rejects(pool.acquire(), { code: "SLUICE_DISPOSED" });
    await sleep(5);
    await pool.close();
    await refused;
  });

  it("takes back what is lost to the garbage collector, and reports it", async () => {
    const factory = new Factory();
    const events: ResourceEvent<Thing>[] = [];
    await using pool = openPool(factory, {
      trackLeaks: true,
      onEvent: (event) => events.push(event),
    });
    await (async function forgetful() {
      await pool.acquire();
    })();
    assert.ok(await collectUntil(() => pool.stats().leaked === 1), "not collected within 20 s");
    const leaked = events.find((event) => event.type === "leaked");
    assert.match(leaked?.stack ?? "", /forgetful/);
    await until(() => factory.open === 0);
    assert.equal(pool.stats().inUse, 0);
  });

  it("tells what happens, and does not mind what the listener throws", async () => {
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

  it("never has more than max, never lends one to two, whatever happens", async () => {
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
        await pool.drain();
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

describe("ResourcePool of real connections", () => {
  it("lends TCP sockets, and replaces those that were cut off", async () => {
    await using server = await RespServer.start();
    await using pool = new ResourcePool<Socket>({
      async create(signal) {
        const socket = connect({ port: server.port, host: "127.0.0.1" });
        socket.on("error", () => {});
        await once(socket, "connect", { signal });
        return socket;
      },
      validate: (socket) => !socket.destroyed && socket.writable,
      destroy: (socket) => void socket.destroy(),
      max: 3,
    });
    const ping = () =>
      pool.use(async (socket) => {
        socket.write("*1\r\n$4\r\nPING\r\n");
        const [answer] = await once(socket, "data");
        return String(answer);
      });
    const answers = await Promise.all(Array.from({ length: 50 }, ping));
    assert.deepEqual(new Set(answers), new Set(["+PONG\r\n"]));
    assert.equal(server.mostConnections, 3);
    assert.equal(server.accepted, 3);
    server.cutAll();
    await until(() => server.connections === 0);
    await sleep(20);
    assert.equal(await ping(), "+PONG\r\n");
    await pool.close();
    await until(() => server.connections === 0);
  });

  it("lends clients of a library, one user at a time", async () => {
    await using server = await RespServer.start();
    await using pool = new ResourcePool<Redis>({
      async create() {
        const client = new Redis({
          port: server.port,
          host: "127.0.0.1",
          lazyConnect: true,
          enableReadyCheck: false,
          retryStrategy: () => null,
        });
        client.on("error", () => {});
        await client.connect();
        return client;
      },
      validate: (client) => client.status === "ready",
      destroy: (client) => client.disconnect(),
      max: 2,
    });
    const results = await Promise.all(
      Array.from({ length: 40 }, () => pool.use((client) => client.incr("n"))),
    );
    assert.deepEqual(results.sort((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i + 1));
    assert.equal(server.mostConnections, 2);
    server.cutAll();
    await until(() => server.connections === 0);
    await sleep(20);
    assert.equal(await pool.use((client) => client.get("n")), "40");
  });

  it("passes on that nobody listens", async () => {
    const server = await RespServer.start();
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await using pool = new ResourcePool<Socket>({
      async create(signal) {
        const socket = connect({ port, host: "127.0.0.1" });
        await once(socket, "connect", { signal });
        return socket;
      },
      max: 1,
    });
    await assert.rejects(pool.acquire(), { code: "ECONNREFUSED" });
    assert.equal(pool.stats().inUse, 0);
  });
});
