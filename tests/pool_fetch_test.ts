/** A lease is held from before the request until the body ends, however that comes about. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { checkCeiling } from "../src/pool/ceiling_warning.ts";
import { type FetchOptions, leasedFetch } from "../src/pool/leased_fetch.ts";
import { CountingPool, type Ending } from "./fixtures/counting_pool.ts";
import { collectUntil } from "./fixtures/garbage.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";

let server: FlakyServer;
let pool: CountingPool;

/** Fetches a path of the server with a lease of a new pool. */
function fetchPath(path: string, options: FetchOptions = {}, init?: RequestInit) {
  pool = new CountingPool();
  return leasedFetch(pool, () => new Request(server.url(path), init), options);
}

/** The body as what both runtimes make of it; the DOM's own types know no iteration of streams. */
function partsOf({ body }: Response) {
  return body as unknown as AsyncIterable<Uint8Array>;
}

/** The lease is back, in this one way and no other, and stays so. */
async function assertEnded(...endings: Ending[]) {
  await until(() => pool.endings.length >= endings.length);
  await sleep(5);
  assert.deepEqual(pool.endings, endings);
  assert.equal(pool.inFlight, 0);
}

function assertHeld() {
  assert.deepEqual(pool.endings, []);
  assert.equal(pool.inFlight, 1);
}

async function until(condition: () => boolean, milliseconds = 5000) {
  const deadline = Date.now() + milliseconds;
  while (!condition() && Date.now() < deadline) await sleep(5);
  assert.ok(condition(), `still not so after ${milliseconds} ms: ${condition}`);
}

describe("pool.fetch", () => {
  before(async () => void (server = await FlakyServer.start()));
  after(async () => await server[Symbol.asyncDispose]());

  describe("holds the lease until the body ends:", () => {
    it("at its end", async () => {
      const response = await fetchPath("/ten-events");
      assertHeld();
      const reader = response.body!.getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        assertHeld();
        text += new TextDecoder().decode(value);
      }
      assert.equal(text, Array.from({ length: 10 }, (_, i) => `data: ${i}\n\n`).join(""));
      await assertEnded("ok");
    });

    for (const read of ["text", "arrayBuffer", "bytes", "blob"] as const) {
      it(`read by ${read}()`, async () => {
        const response = await fetchPath("/large");
        assertHeld();
        const whole = await response[read]();
        const length = typeof whole === "string"
          ? whole.length
          : "size" in whole
          ? whole.size
          : whole.byteLength;
        assert.equal(length, 64 * 65_536);
        await assertEnded("ok");
      });
    }

    it("read by for await and by pipeTo()", async () => {
      const response = await fetchPath("/ten-events");
      let parts = 0;
      for await (const _ of partsOf(response)) parts++;
      assert.ok(parts > 0);
      await assertEnded("ok");
      const piped = await fetchPath("/ten-events");
      await piped.body!.pipeTo(new WritableStream());
      await assertEnded("ok");
    });

    it("cut off by the upstream", async () => {
      const response = await fetchPath("/cut");
      assertHeld();
      await assert.rejects(response.text());
      await assertEnded({});
    });

    it("cancelled", async () => {
      const response = await fetchPath("/events");
      const reader = response.body!.getReader();
      await reader.read();
      assertHeld();
      await reader.cancel("enough");
      await assertEnded("unknown");
      await until(() => server.inFlight === 0);
    });

    it("left by break in for await", async () => {
      const response = await fetchPath("/events");
      for await (const _ of partsOf(response)) break;
      await assertEnded("unknown");
      await until(() => server.inFlight === 0);
    });

    it("aborted in the midst of a read", async () => {
      const controller = new AbortController();
      const response = await fetchPath("/stalls", { signal: controller.signal });
      const reader = response.body!.getReader();
      await reader.read();
      const pending = reader.read();
      assertHeld();
      controller.abort(new Error("client left"));
      await assert.rejects(pending, /client left/);
      await assertEnded("unknown");
      await until(() => server.inFlight === 0);
    });

    it("aborted while nobody reads", async () => {
      const controller = new AbortController();
      const response = await fetchPath("/events", { signal: controller.signal });
      assertHeld();
      controller.abort();
      await assertEnded("unknown");
      await assert.rejects(response.text());
      await until(() => server.inFlight === 0);
    });

    it("aborted by the request's own signal", async () => {
      const controller = new AbortController();
      const other = new AbortController();
      const options = { signal: other.signal };
      const response = await fetchPath("/events", options, { signal: controller.signal });
      assertHeld();
      controller.abort();
      await assertEnded("unknown");
      await assert.rejects(response.text());
    });

    it("timed out by AbortSignal.timeout, which is the upstream's fault", async () => {
      const response = await fetchPath("/stalls", { signal: AbortSignal.timeout(50) });
      await assert.rejects(response.text(), { name: "TimeoutError" });
      await assertEnded({ timedOut: true });
    });

    it("silent for longer than idleTimeoutMs", async () => {
      const response = await fetchPath("/stalls", { idleTimeoutMs: 50 });
      await assert.rejects(response.text(), { name: "TimeoutError" });
      await assertEnded({ timedOut: true });
      await until(() => server.inFlight === 0);
      const lively = await fetchPath("/ten-events", { idleTimeoutMs: 2000 });
      await lively.text();
      await assertEnded("ok");
    });
  });

  describe("gives the lease back without a body:", () => {
    for (const path of ["/no-content", "/not-modified"]) {
      it(path, async () => {
        const response = await fetchPath(path);
        assert.equal(response.body, null);
        await assertEnded("ok");
      });
    }

    it("HEAD", async () => {
      const response = await fetchPath("/text", {}, { method: "HEAD" });
      assert.equal(response.headers.get("x-a"), "b");
      await assertEnded("ok");
    });

    it("a body of no bytes, read or not", async () => {
      await fetchPath("/empty");
      await assertEnded("ok");
    });

    it("aborted before the headers", async () => {
      const controller = new AbortController();
      const pending = fetchPath("/silent", { signal: controller.signal });
      await until(() => server.inFlight === 1);
      assertHeld();
      controller.abort(new Error("client left"));
      await assert.rejects(pending, /client left/);
      await assertEnded("unknown");
      await until(() => server.inFlight === 0);
    });

    it("aborted before it began", async () => {
      await assert.rejects(fetchPath("/text", { signal: AbortSignal.abort() }), {
        name: "AbortError",
      });
      assert.equal(pool.granted, 0);
      const own = { signal: AbortSignal.abort() };
      await assert.rejects(fetchPath("/text", {}, own), { name: "AbortError" });
      await assertEnded("unknown");
    });

    it("aborted in line", async () => {
      const pool = new CountingPool({ cap: 1 });
      const make = () => server.url("/ten-events");
      const first = await leasedFetch(pool, make);
      const controller = new AbortController();
      const second = leasedFetch(pool, make, { signal: controller.signal });
      await sleep(10);
      controller.abort(new Error("gave up"));
      await assert.rejects(second, /gave up/);
      await first.text();
      assert.deepEqual(pool.endings, ["ok"]);
    });

    it("hung up on before the headers", async () => {
      await assert.rejects(fetchPath("/hangs-up", {}, { method: "POST", body: "x" }));
      await assertEnded({});
    });

    it("nobody listens on the port", async () => {
      const gone = await FlakyServer.start();
      const url = gone.url("/text");
      await gone[Symbol.asyncDispose]();
      pool = new CountingPool();
      await assert.rejects(leasedFetch(pool, () => url));
      await assertEnded({});
    });

    it("silent for longer than headersTimeoutMs", async () => {
      await assert.rejects(fetchPath("/silent", { headersTimeoutMs: 50 }), {
        name: "TimeoutError",
        message: "only sent nothing of the headers of the response for 50 ms",
      });
      await assertEnded({ timedOut: true });
      await until(() => server.inFlight === 0);
    });

    it("makeRequest throws, or rejects, or init throws", async () => {
      const fail = () => {
        throw new Error("no key");
      };
      pool = new CountingPool();
      await assert.rejects(leasedFetch(pool, fail), /no key/);
      await assert.rejects(leasedFetch(pool, () => Promise.reject(new Error("no key"))), /no key/);
      await assert.rejects(leasedFetch(pool, () => server.url("/text"), { init: fail }), /no key/);
      await assertEnded("unknown", "unknown", "unknown");
    });

    it("classify throws", async () => {
      const classify = () => {
        throw new Error("no class");
      };
      await assert.rejects(fetchPath("/events", { classify }), /no class/);
      await assertEnded("unknown");
      await until(() => server.inFlight === 0);
    });
  });

  describe("tells the pool what the status means:", () => {
    const CASES: [string, Ending][] = [
      ["/429", { status: 429, retryAfterMs: 2000 }],
      ["/529", { status: 529 }],
      ["/500", { status: 500 }],
      ["/401", "ok"],
    ];
    for (const [path, ending] of CASES) {
      it(path, async () => {
        const response = await fetchPath(path);
        await response.text();
        await assertEnded(ending);
      });
    }

    it("even if nobody reads the body of a failure", async () => {
      const response = await fetchPath("/429");
      await assertEnded({ status: 429, retryAfterMs: 2000 });
      assert.equal(await response.text(), "slow down", "what was read ahead is not lost");
    });

    it("even if the body of a failure is cancelled", async () => {
      const response = await fetchPath("/500");
      await response.body!.cancel();
      await assertEnded({ status: 500 });
    });

    it("as classify says", async () => {
      const classify = ({ status }: Response) => status === 401 ? { status: 500 } : undefined;
      await (await fetchPath("/401", { classify })).text();
      await assertEnded({ status: 500 });
      await (await fetchPath("/500", { classify })).text();
      await assertEnded("ok");
    });
  });

  describe("returns a response like fetch's:", () => {
    it("with url, redirected, type, status and headers", async () => {
      for (const path of ["/text", "/redirect", "/429", "/no-content"]) {
        const ours = await fetchPath(path);
        const theirs = await fetch(server.url(path));
        for (const name of ["url", "redirected", "type", "status", "statusText", "ok"] as const) {
          assert.equal(ours[name], theirs[name], `${name} of ${path}`);
        }
        const names = (response: Response) => [...response.headers.keys()].sort();
        assert.deepEqual(names(ours), names(theirs));
        assert.ok(ours instanceof Response);
        assert.equal(ours.bodyUsed, false);
        assert.equal(await ours.text(), await theirs.text());
      }
    });

    it("that can be cloned: the lease is back when the body was read", async () => {
      const response = await fetchPath("/ten-events");
      const clone = response.clone();
      assert.equal(clone.url, response.url);
      assert.equal(clone.clone().url, response.url);
      assertHeld();
      const [one, two] = await Promise.all([response.text(), clone.text()]);
      assert.equal(one, two);
      await assertEnded("ok");
    });

    it("that can be cloned: one clone is cancelled, the other read", async () => {
      const response = await fetchPath("/ten-events");
      const clone = response.clone();
      const cancelled = clone.body!.cancel();
      await sleep(5);
      assertHeld();
      await response.text();
      await cancelled;
      await assertEnded("ok");
    });

    it("that can be cloned: both are cancelled", async () => {
      const response = await fetchPath("/events");
      const clone = response.clone();
      await Promise.all([clone.body!.cancel(), response.body!.cancel()]);
      await assertEnded("unknown");
      await until(() => server.inFlight === 0);
    });

    it("whose body can be teed", async () => {
      const response = await fetchPath("/ten-events");
      const [one, two] = response.body!.tee();
      assertHeld();
      const texts = await Promise.all([new Response(one).text(), new Response(two).text()]);
      assert.equal(texts[0], texts[1]);
      await assertEnded("ok");
    });

    it("that a server can pass on", async () => {
      const upstream = await fetchPath("/ten-events");
      const passed = new Response(upstream.body, upstream);
      assert.match(await passed.text(), /data: 9/);
      await assertEnded("ok");
    });
  });

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

  it("gives the lease of an unread body back when it is collected, and reports it", async () => {
    const pool = new CountingPool();
    const stacks: string[] = [];
    await (async function forgetful() {
      const leaked = (_: string, stack: string) => void stacks.push(stack);
      for (let i = 0; i < 5; i++) await leasedFetch(pool, () => server.url("/events"), {}, leaked);
    })();
    assert.equal(pool.inFlight + pool.endings.length, 5, "some may be collected already");
    assert.ok(await collectUntil(() => pool.endings.length >= 4), "not collected within 20 s");
    assert.ok(pool.endings.every((ending) => ending === "unknown"), JSON.stringify(pool.endings));
    assert.equal(stacks.length, pool.endings.length);
    assert.match(stacks[0]!, /forgetful/);
    await until(() => server.inFlight <= 1);
  });

  it("does not take a body that is still read for an unread one", async () => {
    const pool = new CountingPool();
    const body = await (async () => {
      const response = await leasedFetch(pool, () => server.url("/events"));
      return response.body!;
    })();
    const texts = (async () => {
      const response = await leasedFetch(pool, () => server.url("/ten-events"));
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

  it("renews the lease while the body is read, and not while nobody reads", async () => {
    const pool = new CountingPool({ leaseTtlMs: 60 });
    const response = await leasedFetch(pool, () => server.url("/stalls"));
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    const before = pool.renewed;
    await sleep(300);
    assert.ok(pool.renewed - before >= 5, `${pool.renewed - before} renewals in 300 ms`);
    await reader.cancel();
    await pending;
    const ended = pool.renewed;
    const unread = await leasedFetch(pool, () => server.url("/events"));
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

  it("gives each upstream sockets of its own by init", async () => {
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

  it("calls the fetch it is given", async () => {
    const seen: string[] = [];
    const response = await fetchPath("/text", {
      fetch: (request, init) => {
        seen.push((request as Request).url);
        return fetch(request as Request, init);
      },
    });
    await response.text();
    assert.deepEqual(seen, [server.url("/text")]);
  });

  it("refuses options of the wrong type or value, before it acquires", async () => {
    const pool = new CountingPool();
    const bad = (options: object) => leasedFetch(pool, () => "http://x", options as FetchOptions);
    await assert.rejects(leasedFetch(pool, "http://x" as never), {
      name: "TypeError",
      message: 'makeRequest must be a function, not "http://x"',
    });
    await assert.rejects(bad({ init: {} }), {
      name: "TypeError",
      message: "options.init must be a function, not an instance of Object",
    });
    await assert.rejects(bad({ idleTimeoutMs: "5" }), { name: "TypeError" });
    await assert.rejects(bad({ headersTimeoutMs: 0 }), {
      name: "RangeError",
      message: "options.headersTimeoutMs must be above 0, not 0",
    });
    assert.equal(pool.granted, 0);
  });
});

describe("The warning about Bun's ceiling", () => {
  const upstreams = (caps: number[]) => caps.map((maxInFlight) => ({ maxInFlight })) as never[];

  it("comes once, when the caps of all pools add up to more, and says what to set", async () => {
    const warnings: (Error & { code?: string })[] = [];
    const listen = (warning: Error) => void warnings.push(warning);
    process.on("warning", listen);
    const tell = async (name: string, caps: number[], maxInFlight = 131_072) => {
      checkCeiling(name, { maxInFlight, upstreams: upstreams(caps) }, 1256);
      await sleep(5);
      return warnings.length;
    };
    assert.equal(await tell("a", [200, 56]), 0);
    assert.equal(await tell("b", [1000, 1000], 500), 0, "the pool's own cap counts");
    assert.equal(await tell("a", [200, 56]), 0, "a pool counts once");
    assert.equal(await tell("c", [600]), 1);
    assert.equal(await tell("d", [600]), 1);
    process.off("warning", listen);
    assert.equal(warnings[0]!.code, "SLUICE_FETCH_CEILING");
    assert.match(
      warnings[0]!.message,
      /allow \d+ requests in flight, but Bun's fetch carries out 1256/,
    );
    assert.match(warnings[0]!.message, /Set BUN_CONFIG_MAX_HTTP_REQUESTS=\d+ or more/);
  });
});
