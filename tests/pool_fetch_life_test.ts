/** `pool.fetch` over time: streams, renewals, unread bodies, and its options. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { leasedFetch, type PoolFetchOptions } from "../src/pool/leased_fetch.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { Fetching, until } from "./fixtures/fetching.ts";
import { collectUntil } from "./fixtures/garbage.ts";
import { RUNTIME } from "./support/runtime.ts";

const at = new Fetching();
const { assertEnded, fetchPath } = at;

describe("pool.fetch over time", () => {
  before(() => at.start());
  after(() => at.stop());

  it("streams: every event arrives when it is sent", async () => {
    const response = await fetchPath("/events");
    const reader = response.body!.getReader();
    const arrivals: number[] = [];
    for (let i = 0; i < 5; i++) {
      await reader.read();
      arrivals.push(performance.now());
    }
    await reader.cancel();
    // Sent 20 ms apart: had they been buffered, all would have come at once.
    assert.ok(
      arrivals[4]! - arrivals[0]! > 40,
      `5 events within ${arrivals[4]! - arrivals[0]!} ms`,
    );
    await assertEnded("unknown");
  });

  it("passes on a request with a body", async () => {
    const response = await fetchPath("/echo", {}, { method: "POST", body: "over and back" });
    assert.equal(await response.text(), "over and back");
    await assertEnded("ok");
  });

  it("never has more in flight than the pool allows, at the upstream's own count", async () => {
    await using upstream = await FlakyServer.start();
    const pool = new CountingPool({ cap: 4 });
    const texts = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const response = await leasedFetch(pool, () => upstream.url("/ten-events"));
        return await response.text();
      }),
    );
    assert.equal(new Set(texts).size, 1);
    assert.equal(upstream.most, 4);
    assert.equal(pool.endings.length, 40);
  });

  it("gives the lease of an unread body back when the body is collected, and reports it", async () => {
    const pool = new CountingPool();
    const stacks: string[] = [];
    await (async function forgetful() {
      const leaked = (_: string, stack: string) => void stacks.push(stack);
      for (let i = 0; i < 5; i++) {
        await leasedFetch(
          pool,
          () => at.server.url("/events"),
          {},
          leaked,
        );
      }
    })();
    assert.equal(pool.inFlight + pool.endings.length, 5, "some may be collected already");
    assert.ok(await collectUntil(() => pool.endings.length >= 4), "not collected within 20 s");
    assert.ok(pool.endings.every((ending) => ending === "unknown"), JSON.stringify(pool.endings));
    assert.equal(stacks.length, pool.endings.length);
    assert.match(stacks[0]!, /forgetful/);
    await until(() => at.server.inFlight <= 1);
  });

  // A closure next to `makeRequest` that refers to the response made it reachable from the object that was to
  // detect its collection: in Bun neither the lease nor the memory of the request was ever freed.
  it("detects an unread body even if closures next to makeRequest refer to it", {
    // A finalizer of its Request holds the signal, and the listener holds the response.
    skip: RUNTIME === "node" && "Node keeps the signal of a request that is under way",
  }, async () => {
    const pool = new CountingPool({ cap: 20 });
    /** What the tests before have left. */
    const others = at.server.inFlight;
    const shutdown = new AbortController();
    let leaked = 0;
    // That of the pool, and not that of the request.
    const told = () => void leaked++;
    await (async () => {
      for (let i = 0; i < 10; i++) {
        const { signal } = shutdown;
        const own = new AbortController();
        const request = new Request(at.server.url("/events"), { signal: own.signal });
        const options = { signal, headersTimeoutMs: 60_000, idleTimeoutMs: 60_000 };
        const response = await leasedFetch(pool, () => request, options, told);
        own.signal.addEventListener("abort", () => void response.body?.cancel());
        if (i % 2 === 0) await response.body!.getReader().read();
      }
    })();
    assert.ok(await collectUntil(() => pool.endings.length >= 9), "not collected within 20 s");
    assert.equal(leaked, pool.endings.length);
    await until(() => at.server.inFlight <= others + 1);
  });

  it("obeys a signal while only the reader refers to the body", async () => {
    const pool = new CountingPool();
    const controller = new AbortController();
    const response = await leasedFetch(pool, () => "http://unused", {
      signal: controller.signal,
      // No socket refers to it.
      fetch: (_, { signal }) => {
        const body = new ReadableStream({
          start: (body) =>
            signal!.addEventListener("abort", () => body.error(signal!.reason), { once: true }),
        });
        return Promise.resolve(new Response(body));
      },
    });
    const read = assert.rejects(response.text(), /client left/);
    let collected = 0;
    await collectUntil(() => ++collected > 5);
    controller.abort(new Error("client left"));
    await read;
    assert.deepEqual(pool.endings, ["unknown"]);
  });

  it("does not take a body that is being read for an unread one", async () => {
    const pool = new CountingPool();
    const body = await (async () => {
      const response = await leasedFetch(pool, () => at.server.url("/events"));
      return response.body!;
    })();
    const texts = (async () => {
      const response = await leasedFetch(pool, () => at.server.url("/ten-events"));
      return response.text();
    })();
    const isRead = new Promise((resolve) => setTimeout(resolve, 300, true));
    let done = false;
    isRead.then(() => done = true);
    await collectUntil(() => done);
    await texts;
    assert.deepEqual(pool.endings, ["ok"]);
    await body.cancel();
    assert.deepEqual(pool.endings, ["ok", "unknown"]);
  });

  it("renews the lease only while the body is read", async () => {
    const pool = new CountingPool({ leaseTtlMs: 60 });
    const response = await leasedFetch(pool, () => at.server.url("/stalls"));
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    const before = pool.renewed;
    await sleep(300);
    assert.ok(pool.renewed - before >= 5, `${pool.renewed - before} renewals in 300 ms`);
    await reader.cancel();
    await pending;
    const ended = pool.renewed;
    const unread = await leasedFetch(pool, () => at.server.url("/events"));
    await sleep(300);
    assert.ok(pool.renewed - ended <= 2, `${pool.renewed - ended} renewals of an unread body`);
    await unread.body!.cancel();
  });

  it("leaves no listener on a signal that outlives its requests", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: unknown[]) => {
      listeners++;
      Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--;
      Reflect.apply(removeEventListener, signal, args);
    };
    await (await fetchPath("/text", { signal })).text();
    await assert.rejects(fetchPath("/hangs-up", { signal }, { method: "POST", body: "x" }));
    await fetchPath("/no-content", { signal });
    assert.equal(listeners, 0);
  });

  it("gives each upstream its own sockets by init", {
    skip: RUNTIME === "node" && "Node's fetch takes a dispatcher, of the npm package undici",
  }, async () => {
    const { Bun, Deno } = globalThis as unknown as {
      Bun?: { FetchSession: new () => Disposable };
      Deno?: { createHttpClient(options: object): Disposable };
    };
    const make = () =>
      Bun !== undefined
        ? { session: new Bun.FetchSession() }
        : { client: Deno!.createHttpClient({ poolMaxIdlePerHost: 4 }) };
    await using upstream = await FlakyServer.start();
    const inits = [make(), make()];
    const pool = new CountingPool();
    for (const init of [...inits, ...inits]) {
      const response = await leasedFetch(pool, () => upstream.url("/text"), {
        init: () => init as RequestInit,
      });
      await response.text();
    }
    assert.equal(upstream.connections, 2);
    for (const init of inits) Object.values(init)[0]![Symbol.dispose]();
  });

  it("calls the given fetch", async () => {
    const seen: string[] = [];
    const response = await fetchPath("/text", {
      fetch: (request, init) => {
        seen.push((request as Request).url);
        return fetch(request as Request, init);
      },
    });
    await response.text();
    assert.deepEqual(seen, [at.server.url("/text")]);
  });

  it("refuses options of the wrong type or value, before it acquires", async () => {
    const pool = new CountingPool();
    const bad = (options: object) =>
      leasedFetch(pool, () => "http://x", options as PoolFetchOptions);
    await assert.rejects(leasedFetch(pool, "http://x" as never), {
      name: "TypeError",
      message: 'makeRequest must be a function, not "http://x"',
    });
    await assert.rejects(bad({ init: {} }), {
      name: "TypeError",
      message: "options.init must be a function, not an instance of Object",
    });
    await assert.rejects(bad({ idleTimeoutMs: "5" }), { name: "TypeError" });
    await assert.rejects(leasedFetch(pool, () => "http://x", null as never), {
      name: "TypeError",
      message: "options must be an object, not null",
    });
    await assert.rejects(bad({ headersTimeoutMs: 0 }), {
      name: "RangeError",
      message: "options.headersTimeoutMs must be above 0, not 0",
    });
    assert.equal(pool.granted, 0);
  });
});
