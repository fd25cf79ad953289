/** `pool.fetch` and the native pool together: health, time to live, sharing, real servers. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PoolEvent, type PoolOptions, UpstreamPool } from "../mod.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { collectUntil } from "./fixtures/garbage.ts";

let server: FlakyServer;
let opened = 0;

function open(options: Partial<PoolOptions> = {}): UpstreamPool {
  return new UpstreamPool({
    name: `fetch ${opened++}`,
    upstreams: [{ id: "a", maxInFlight: 4 }, { id: "b", maxInFlight: 4 }],
    ...options,
  });
}

async function until(condition: () => boolean, milliseconds = 5000) {
  const deadline = performance.now() + milliseconds;
  while (!condition() && performance.now() < deadline) await sleep(5);
  assert.ok(condition(), `still not so after ${milliseconds} ms: ${condition}`);
}

describe("pool.fetch with the native pool", () => {
  before(async () => void (server = await FlakyServer.start()));
  after(async () => await server[Symbol.asyncDispose]());

  it("gives each upstream its own request and counts what is in flight", async () => {
    using pool = open();
    const seen: string[] = [];
    const responses = await Promise.all(
      Array.from({ length: 8 }, () =>
        pool.fetch((upstream) => {
          seen.push(upstream);
          return server.url("/ten-events");
        })),
    );
    assert.equal(pool.stats().inFlight, 8);
    assert.deepEqual(seen.sort(), ["a", "a", "a", "a", "b", "b", "b", "b"]);
    await Promise.all(responses.map((response) => response.text()));
    assert.equal(pool.stats().inFlight, 0);
  });

  it("rests an upstream that answers 429 for as long as its Retry-After says", async () => {
    using pool = open();
    const first = await pool.fetch(() => server.url("/429"), { prefer: "a" });
    await first.text();
    const [a, b] = pool.stats().upstreams;
    assert.equal(a!.state, "cooling");
    assert.ok(a!.restsForMs > 1500 && a!.restsForMs <= 2000, `rests for ${a!.restsForMs} ms`);
    assert.equal(b!.state, "healthy");
    const used = await pool.fetch((upstream) => server.url(`/text?${upstream}`), { prefer: "a" });
    assert.match(used.url, /\?b$/);
    await used.text();
  });

  it("ejects an upstream whose connections fail, and brings it back by a probe", async () => {
    const events: PoolEvent[] = [];
    using pool = open({
      health: { failures: 3, cooldownMs: 50 },
      onEvent: (event) => events.push(event),
    });
    for (let i = 0; i < 3; i++) {
      const broken = pool.fetch(() => new Request(server.url("/hangs-up"), { method: "POST" }), {
        prefer: "a",
      });
      await assert.rejects(broken);
    }
    assert.equal(pool.stats().upstreams[0]!.state, "ejected");
    await sleep(60);
    const probe = await pool.fetch(() => server.url("/text"), { prefer: "a" });
    await probe.text();
    await until(() => pool.stats().upstreams[0]!.state === "healthy");
    await until(() => events.some(({ type }) => type === "recovered"));
    assert.deepEqual(events.map(({ type }) => type), ["ejected", "recovered"]);
  });

  it("brings an upstream back by the headers of a probe, not by the end of its stream", async () => {
    using pool = open({ health: { failures: 1, cooldownMs: 50 } });
    pool.tryAcquire({ prefer: "a" })!.fail({ status: 500 });
    await until(() => pool.stats().upstreams[0]!.state === "probing");
    const probe = await pool.fetch(() => server.url("/events"), { prefer: "a" });
    assert.equal(pool.stats().upstreams[0]!.state, "healthy");
    assert.equal(pool.tryAcquire({ prefer: "a" })?.upstream, "a");
    await probe.body!.cancel();
  });

  it("does not take the headers of a failure for an answer", async () => {
    using pool = open({ health: { failures: 1, cooldownMs: 50 } });
    pool.tryAcquire({ prefer: "a" })!.fail({ status: 500 });
    await until(() => pool.stats().upstreams[0]!.state === "probing");
    const probe = await pool.fetch(() => server.url("/500"), { prefer: "a" });
    assert.equal(probe.status, 500);
    await probe.text();
    await until(() => pool.stats().upstreams[0]!.state === "ejected");
  });

  it("does not blame an upstream for clients that disconnect", async () => {
    using pool = open({ health: { failures: 1, maxEjected: 1 } });
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      const pending = pool.fetch(() => server.url("/silent"), { signal: controller.signal });
      await sleep(5);
      controller.abort();
      await assert.rejects(pending, { name: "AbortError" });
      const response = await pool.fetch(() => server.url("/events"));
      await response.body!.cancel();
    }
    for (const { state, failed } of pool.stats().upstreams) {
      assert.deepEqual([state, failed], ["healthy", 0]);
    }
    assert.equal(pool.stats().inFlight, 0);
  });

  it("keeps the lease of a stream that outlasts its time to live", async () => {
    using pool = open({ leaseTtlMs: 90 });
    const response = await pool.fetch(() => server.url("/stalls"));
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    await sleep(400);
    assert.deepEqual([pool.stats().inFlight, pool.stats().expired], [1, 0]);
    await reader.cancel();
    await pending;
    assert.equal(pool.stats().inFlight, 0);
  });

  it("loses an unread body and its lease when the lease expires", async () => {
    using pool = open({ leaseTtlMs: 90 });
    const response = await pool.fetch(() => server.url("/events"));
    await until(() => pool.stats().expired === 1);
    assert.equal(pool.stats().inFlight, 0);
    using other = pool.tryAcquire();
    await assert.rejects(response.text(), { code: "SLUICE_STALE_LEASE" });
    assert.equal(pool.stats().inFlight, 1, "the late release took nothing from others");
    assert.notEqual(other, null);
  });

  it("gives back leases that are garbage-collected", async () => {
    using pool = open();
    await (async () => {
      for (let i = 0; i < 4; i++) await pool.fetch(() => server.url("/events"));
    })();
    // At most two may be kept alive by the stack.
    assert.ok(await collectUntil(() => pool.stats().inFlight <= 1), "not collected within 20 s");
  });

  it("reports an unread body that was lost, with the stack that acquired its lease", async () => {
    const events: PoolEvent[] = [];
    using pool = open({ trackLeaks: true, onEvent: (event) => events.push(event) });
    await (async () => {
      for (let i = 0; i < 4; i++) await pool.fetch(() => server.url("/events"));
    })();
    const leaked = () => events.filter((event) => event.type === "leaked");
    assert.ok(await collectUntil(() => leaked().length >= 2), "not reported within 20 s");
    assert.match(leaked()[0]!.stack, /leased_fetch|pool_fetch_shared_test/);
  });

  it("shares its caps with every pool of the name", async () => {
    await using upstream = await FlakyServer.start();
    const name = `fetch ${opened++}`;
    const options = { name, upstreams: [{ id: "a", maxInFlight: 3 }] };
    using one = new UpstreamPool(options);
    using two = new UpstreamPool(options);
    await Promise.all(Array.from({ length: 30 }, async (_, i) => {
      const response = await (i % 2 ? one : two).fetch(() => upstream.url("/ten-events"));
      await response.text();
    }));
    assert.equal(upstream.most, 3);
    assert.equal(upstream.served, 30);
    assert.equal(one.stats().inFlight, 0);
  });

  it("rejects queued requests when the pool is destroyed, and lets streams finish", async () => {
    const pool = open({ upstreams: [{ id: "a", maxInFlight: 1 }] });
    const response = await pool.fetch(() => server.url("/ten-events"));
    const waiting = pool.fetch(() => server.url("/text"));
    const refused = assert.rejects(waiting, { code: "SLUICE_POOL_CLOSED" });
    pool.destroy();
    await refused;
    assert.match(await response.text(), /data: 9/);
  });

  it("has all leases back after random aborts, cancels, timeouts and failures", async () => {
    await using upstream = await FlakyServer.start();
    using pool = open({ health: { failures: 0, failureRate: 2 } });
    const paths = [
      "/text",
      "/ten-events",
      "/cut",
      "/429",
      "/500",
      "/no-content",
      "/silent",
      "/stalls",
    ];
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    await Promise.all(Array.from({ length: 300 }, async () => {
      const path = paths[random(paths.length)]!;
      const signal = AbortSignal.timeout(20 + random(150));
      try {
        const response = await pool.fetch(() => upstream.url(path), {
          signal,
          headersTimeoutMs: 20 + random(50),
          idleTimeoutMs: 20 + random(50),
          classify: ({ status }) => status >= 500 ? { status } : undefined,
        });
        if (random(3) === 0) await response.body?.cancel();
        else await response.text();
      } catch {
        // Which of them fail is random, but all must come back.
      }
    }));
    assert.deepEqual([pool.stats().inFlight, pool.stats().waiting], [0, 0]);
    await until(() => upstream.inFlight === 0);
  });
});
