/** Pools that share their limits, rests and probes through a real server. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AcquireTimeoutError, type Lease, type PoolStats, UpstreamPool } from "../mod.ts";
import { valkey } from "../src/shared/mod.ts";
import { CLIENTS, eventually } from "./support/shared.ts";
import { Fleet, type Process } from "./support/shared_pool.ts";
import { NO_STORE, StoreServer } from "./support/store_server.ts";

const two = [{ id: "a", maxInFlight: 2 }, { id: "b", maxInFlight: 3 }];

function stateOf(stats: PoolStats, id: string): string | undefined {
  return stats.upstreams.find((upstream) => upstream.id === id)?.state;
}

/** As many leases as a process can get without waiting for others. */
async function takeAll({ pool }: Process): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (;;) {
    try {
      leases.push(await pool.acquire({ timeoutMs: 300 }));
    } catch (error) {
      assert.ok(error instanceof AcquireTimeoutError, String(error));
      return leases;
    }
  }
}

const release = (leases: readonly Lease[]) => leases.forEach((lease) => lease.release());

describe("a pool that processes share", { skip: NO_STORE }, () => {
  let server: StoreServer;
  before(async () => server = await StoreServer.start());
  after(() => server[Symbol.asyncDispose]());

  it("keeps the limits of its upstreams and of the pool over all processes", async () => {
    const fleet = new Fleet(server);
    for (const [maxInFlight, most] of [[131_072, 5], [4, 4]] as const) {
      await using first = await fleet.join({ upstreams: two, maxInFlight });
      await using second = await fleet.join({ upstreams: two, maxInFlight });
      const mine = await Promise.all([1, 2, 3].map(() => first.pool.acquire()));
      const theirs = await takeAll(second);
      assert.equal(mine.length + theirs.length, most);
      const all = [...mine, ...theirs].map(({ upstream }) => upstream);
      assert.ok(all.filter((id) => id === "a").length <= 2, all.join());
      assert.equal(first.pool.tryAcquire(), null);
      const waiting = second.pool.acquire({ timeoutMs: 5000 });
      mine[0]!.release();
      (await waiting).release();
      const { shared, upstreams } = second.pool.stats();
      assert.equal(shared?.state, "connected");
      assert.equal(shared?.holders, 2);
      assert.equal(shared?.failures, 0);
      assert.ok(shared!.calls > 1 && shared!.roundTripMs!.p50 > 0);
      assert.ok(upstreams[1]!.shared!.held <= upstreams[1]!.shared!.heldByAll);
      release([...mine, ...theirs]);
      await Promise.all([first.pool.close(), second.pool.close()]);
    }
  });

  it("serves local callers from the permits that it holds, without a call for each", async () => {
    const fleet = new Fleet(server);
    await using only = await fleet.join({ upstreams: [{ id: "a", maxInFlight: 100 }] });
    (await only.pool.acquire()).release();
    const before = only.calls;
    for (let i = 0; i < 500; i++) (await only.pool.acquire()).release();
    assert.ok(only.calls - before < 50, `${only.calls - before} calls`);
  });

  it("gives idle permits back, and all of them with close()", async () => {
    const fleet = new Fleet(server);
    const upstreams = [{ id: "a", maxInFlight: 4 }];
    await using first = await fleet.join({ upstreams });
    await using second = await fleet.join({ upstreams });
    release(await takeAll(first));
    assert.equal((await takeAll(second)).length, 4);
    const held = await fleet.fields();
    assert.match(held["u.a"]!, /^4 /);
    const third = await fleet.join({ upstreams }, { leaseMs: 60_000 });
    await first.pool.close();
    second.pool.destroy();
    await sleep(1);
    // Its leases are still in use, so it has not left.
    assert.match((await fleet.fields())["u.a"]!, /^4 /);
    await third[Symbol.asyncDispose]();
  });

  it("leaves at once when the last lease is back", async () => {
    const fleet = new Fleet(server);
    const upstreams = [{ id: "a", maxInFlight: 4 }];
    await using first = await fleet.join({ upstreams }, { leaseMs: 60_000 });
    await using second = await fleet.join({ upstreams }, { leaseMs: 60_000 });
    const leases = await takeAll(first);
    assert.equal(leases.length, 4);
    const closed = first.pool.close();
    release(leases);
    await closed;
    assert.equal((await takeAll(second)).length, 4);
  });

  it("gives the permits of a process that is gone to others within a lease", async () => {
    const fleet = new Fleet(server);
    const upstreams = [{ id: "a", maxInFlight: 4 }];
    await using first = await fleet.join({ upstreams }, { onOutage: "closed" });
    await using second = await fleet.join({ upstreams }, { onOutage: "closed" });
    const leases = await takeAll(first);
    assert.equal(leases.length, 4);
    const waiting = second.pool.acquire({ timeoutMs: 5000 });
    first.isCutOff = true;
    const began = performance.now();
    await waiting;
    const took = performance.now() - began;
    assert.ok(took > 200 && took < 2000, `${took} ms`);
    release(leases);
    await eventually("an outage", () => first.pool.stats().shared?.state === "outage");
    assert.equal(first.pool.tryAcquire(), null);
    assert.match(first.pool.stats().shared!.lastError!, /no answer within 100 ms/);
  });

  it("follows onOutage while the store is gone, and comes back", async () => {
    await using own = await StoreServer.start();
    const fleet = new Fleet(own);
    const upstreams = [{ id: "a", maxInFlight: 6 }];
    const share = await fleet.join({ upstreams }, { processes: 3 });
    const open = await fleet.join({ upstreams }, { onOutage: "open" });
    const closed = await fleet.join({ upstreams }, { onOutage: "closed" });
    const all = [share, open, closed];
    for (const { pool } of all) (await pool.acquire()).release();
    await own.kill();
    const counts: number[] = [];
    for (const process of all) {
      const { pool } = process;
      const waiting = pool.acquire({ timeoutMs: 3000 }).catch(() => undefined);
      await eventually("an outage", () => pool.stats().shared?.state === "outage");
      const leases = await takeAll(process);
      const lease = await waiting;
      counts.push(leases.length + Number(lease !== undefined));
      release(leases);
      lease?.release();
    }
    assert.deepEqual(counts, [2, 6, 0]);
    await own.restart();
    for (const { pool } of all) {
      const lease = await pool.acquire({ timeoutMs: 10_000 });
      await eventually("an answer", () => pool.stats().shared?.state === "connected");
      lease.release();
    }
    for (const process of all) await process[Symbol.asyncDispose]();
  });

  it("tells all processes of a rest, and lets one of them probe after it", async () => {
    const fleet = new Fleet(server);
    const upstreams = [{ id: "a", maxInFlight: 8 }];
    const join = () => fleet.join({ upstreams });
    const processes = [await join(), await join(), await join()];
    const [first] = processes;
    for (const { pool } of processes) (await pool.acquire()).release();
    (await first!.pool.acquire()).fail({ status: 429, retryAfterMs: 1200 });
    const rested = performance.now();
    for (const { pool } of processes) {
      await eventually("a rest", () => stateOf(pool.stats(), "a") === "cooling");
    }
    assert.ok(performance.now() - rested < 600, "within a third of a lease, and a call");
    // All want the upstream at once. One gets it, and the others when it has answered.
    const granted: number[] = [];
    const leases = processes.map(async ({ pool }, i) => {
      const lease = await pool.acquire({ timeoutMs: 10_000 });
      granted.push(i);
      return lease;
    });
    await eventually("a probe", () => granted.length > 0);
    assert.ok(performance.now() - rested > 1190, "after the rest");
    await sleep(300);
    assert.equal(granted.length, 1, "one probe for all");
    (await leases[granted[0]!]!).confirm();
    release(await Promise.all(leases));
    for (const process of processes) await process[Symbol.asyncDispose]();
  });

  it("keeps ejections local, and counts them", async () => {
    const fleet = new Fleet(server);
    const health = { failures: 2, cooldownMs: 60_000 };
    await using first = await fleet.join({ upstreams: two, health });
    await using second = await fleet.join({ upstreams: two, health });
    // One is kept, so that the other process calls again.
    const lease = await second.pool.acquire({ prefer: "a" });
    await eventually("an ejection", async () => {
      const failing = await first.pool.acquire({ prefer: "a" });
      if (failing.upstream === "a") failing.fail({ status: 503 });
      else failing.release();
      return stateOf(first.pool.stats(), "a") === "ejected";
    });
    await eventually("news", () => second.pool.stats().upstreams[0]!.shared!.ejectedBy === 1);
    assert.equal(stateOf(second.pool.stats(), "a"), "healthy");
    lease.release();
  });

  it("survives a server that has lost its scripts and its data", async () => {
    const fleet = new Fleet(server);
    await using first = await fleet.join({ upstreams: two });
    const lease = await first.pool.acquire();
    await server.command("SCRIPT", "FLUSH");
    await server.command("FLUSHALL");
    assert.equal((await takeAll(first)).length, 4);
    await eventually("a loss", () => first.pool.stats().shared!.losses === 1);
    assert.equal(first.pool.stats().shared!.failures, 0);
    lease.release();
  });

  it("works with every client", async () => {
    for (const [kind, connect] of Object.entries(CLIENTS)) {
      const { client, end } = await connect(server);
      const name = `clients/${kind} ${crypto.randomUUID()}`;
      const shared = valkey({ client, prefix: "pools" });
      await using pool = new UpstreamPool({ name, upstreams: two, shared });
      const leases = await Promise.all([1, 2, 3, 4, 5].map(() => pool.acquire()));
      assert.equal(pool.tryAcquire(), null);
      assert.equal(pool.stats().shared!.failures, 0, kind);
      const keys = await server.command("KEYS", `pools:1:{*}:@pool:${encodeURIComponent(name)}`);
      assert.match(keys, /^pools:1:\{\d+\}:@pool:clients%2F/);
      release(leases);
      await pool.close();
      end();
    }
  });
});

describe("the option shared of a pool", () => {
  const run = () => Promise.reject(new Error("not connected"));
  const shared = valkey({ client: { run } });

  it("is checked", () => {
    for (const wrong of [null, {}, "redis://", { run }]) {
      assert.throws(
        () => new UpstreamPool({ name: "x", upstreams: two, shared: wrong as never }),
        /TypeError: shared must be made by valkey\(\) of "sluice\/shared", not/,
      );
    }
    assert.throws(
      () => new UpstreamPool({ upstreams: two, shared }),
      /TypeError: name must be given with shared/,
    );
  });

  it("is the same in all Workers that open the pool", () => {
    const name = crypto.randomUUID();
    using pool = new UpstreamPool({ name, upstreams: two, shared });
    const others = [undefined, { prefix: "x" }, { leaseMs: 5000 }, { onOutage: "open" as const }];
    for (const other of others) {
      const shared = other === undefined ? undefined : valkey({ client: { run }, ...other });
      assert.throws(
        () => new UpstreamPool({ name, upstreams: two, shared }),
        { code: "SLUICE_POOL_MISMATCH" },
      );
    }
    using same = new UpstreamPool({ name, upstreams: two, shared });
    assert.equal(same.stats().members, pool.stats().members);
  });

  it("waits for permits, and takes the part of an outage if the store never answers", async () => {
    const quick = valkey({ client: { run }, leaseMs: 400, timeoutMs: 20, processes: 2 });
    await using pool = new UpstreamPool({
      name: crypto.randomUUID(),
      upstreams: two,
      shared: quick,
    });
    assert.equal(pool.tryAcquire(), null);
    using lease = await pool.acquire({ timeoutMs: 5000 });
    assert.match(lease.upstream, /^[ab]$/);
    const { shared: stats } = pool.stats();
    assert.equal(stats?.state, "outage");
    assert.match(stats!.lastError!, /not connected/);
  });

  it("takes any name", () => {
    for (const name of ["\ud800", "a b/{c}:%", "é"]) {
      using pool = new UpstreamPool({ name, upstreams: two, shared });
      assert.equal(pool.stats().shared?.state, "idle");
    }
  });

  it("is no part of the statistics of other pools", () => {
    using pool = new UpstreamPool({ upstreams: two });
    assert.ok(!("shared" in pool.stats()) && !("shared" in pool.stats().upstreams[0]!));
  });
});
