/**
 * The decision table of blame: for each cause, the result for the caller and the report to the pool. It is
 * `docs/blame.md`. If an upstream were blamed for the faults of clients, any client could eject it.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PoolOptions, UpstreamPool } from "../mod.ts";
import { leasedFetch, type PoolFetchOptions } from "../src/pool/leased_fetch.ts";
import type { MakeRequest, UpstreamRequest } from "../src/pool/made_request.ts";
import type { PeekBody } from "../src/pool/response_body.ts";
import { CALLERS_FAULTS } from "./fixtures/blame/callers.ts";
import { post } from "./fixtures/blame/row.ts";
import { listen, originOf, Servers } from "./fixtures/blame/servers.ts";
import { UPSTREAMS_ANSWERS } from "./fixtures/blame/upstreams.ts";
import { CountingPool } from "./fixtures/counting_pool.ts";
import { until } from "./fixtures/fetching.ts";
import { serve } from "./fixtures/native_server.ts";

const ROWS = [...CALLERS_FAULTS, ...UPSTREAMS_ANSWERS];

let servers: Servers;
let lateText: Promise<string> | undefined;
let latePeek: PeekBody | undefined;
/** Those that do not wait for what they look at. */
const LEFT_BEHIND: readonly [string, NonNullable<PoolFetchOptions["classify"]>][] = [
  ["a peek that is not awaited", async (_, peek) => {
    await peek(1);
    latePeek = peek;
    lateText = peek(10_000);
    return undefined;
  }],
  ["a look loses a race", async (_, peek) => {
    await peek(1);
    latePeek = peek;
    lateText = peek(10_000);
    await Promise.race([lateText, undefined]);
    return undefined;
  }],
];

describe("Blame:", () => {
  before(async () => {
    servers = await Servers.start();
  });
  after(async () => await servers[Symbol.asyncDispose]());

  for (const { cause, make, gets, told, use, options } of ROWS) {
    it(cause, async () => {
      const pool = new CountingPool();
      const got = (async () => {
        const makeRequest = (() => make(servers)) as MakeRequest;
        const response = await leasedFetch(pool, makeRequest, options?.());
        await use?.(response);
        return response.status;
      })();
      if (typeof gets === "number") assert.equal(await got, gets);
      else if (gets === "an error") await assert.rejects(got);
      else await assert.rejects(got, { ...gets } as { name: string });
      await until(() => pool.endings.length > 0);
      assert.deepEqual([pool.endings, pool.inFlight], [[told], 0]);
    });
  }

  describe("classify peeks into the body,", () => {
    const EVENT = 'event: error\ndata: {"type":"overloaded_error"}\n\n';
    const RETRY = JSON.stringify({ error: { details: [{ retryDelay: "7s" }] } });
    let server: Server;
    before(async () => {
      server = createServer((request, response) => {
        if (request.url === "/gemini") return response.writeHead(429).end(RETRY);
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(EVENT.slice(0, 9));
        setTimeout(() => response.write(EVENT.slice(9)), 10);
        if (request.url === "/sse-ends") setTimeout(() => response.end("event: end\n\n"), 20);
      });
      await listen(server);
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    it("which is whole for the caller: Gemini's retryDelay", async () => {
      const pool = new CountingPool();
      const response = await leasedFetch(pool, () => `${originOf(server)}gemini`, {
        async classify({ status }, peek) {
          const delay = /"retryDelay":"(\d+)s"/.exec(await peek())![1];
          return { status, retryAfterMs: Number(delay) * 1000 };
        },
      });
      assert.equal(await response.text(), RETRY);
      assert.deepEqual(pool.endings, [{ status: 429, retryAfterMs: 7000 }]);
    });

    it("or in a Response that is handed back as the failure: Retry-After", async () => {
      const pool = new CountingPool();
      const asked = () => new Response("", { status: 503, headers: { "retry-after": "3" } });
      const response = await leasedFetch(pool, () => servers.flaky.url("/text"), {
        classify: asked,
      });
      await response.text();
      assert.deepEqual(pool.endings, [{ status: 503, retryAfterMs: 3000 }]);
    });

    for (const path of ["sse-ends", "sse"]) {
      it(`no further than the first event: ${path}`, async () => {
        const pool = new CountingPool();
        const response = await leasedFetch(pool, () => originOf(server) + path, {
          async classify(_, peek) {
            const first = await peek(1000, "\n\n");
            assert.equal(first, EVENT);
            assert.equal(await peek(4), EVENT.slice(0, 9), "again, and by parts as they came");
            return first.startsWith("event: error") ? { status: 529 } : undefined;
          },
        });
        assert.equal(pool.confirmed, 0);
        const reader = response.clone().body!.getReader();
        const { value } = await reader.read();
        assert.equal(new TextDecoder().decode(value), EVENT.slice(0, 9));
        const ended = reader.cancel();
        if (path === "sse-ends") assert.equal(await response.text(), EVENT + "event: end\n\n");
        else await response.body!.cancel();
        await ended;
        await until(() => pool.endings.length > 0);
        assert.deepEqual(pool.endings, [{ status: 529 }]);
      });
    }

    for (const [how, classify] of LEFT_BEHIND) {
      it(`and keeps the order of the parts where ${how}`, { timeout: 5000 }, async () => {
        const pool = new CountingPool();
        const response = await leasedFetch(pool, () => `${originOf(server)}sse-ends`, { classify });
        assert.equal(await response.text(), EVENT + "event: end\n\n");
        assert.deepEqual(pool.endings, ["ok"]);
        const seen = await lateText!;
        assert.ok(EVENT.startsWith(seen) && seen.length >= 9, `what had come by then: ${seen}`);
        assert.equal(await latePeek!(), "", "it is the caller's now");
      });
    }

    it("and finds it cut: that is the upstream's", async () => {
      const pool = new CountingPool();
      const classify = async (_: Response, peek: () => Promise<string>) => void await peek();
      const got = leasedFetch(pool, () => servers.flaky.url("/short"), { classify });
      await assert.rejects(got);
      assert.deepEqual(pool.endings, [{}]);
    });
  });

  it("makes a request of everything that makeRequest may return", async () => {
    const url = servers.flaky.url("/echo");
    const init = { method: "POST", body: "over and back" };
    const made: Record<string, UpstreamRequest | Promise<UpstreamRequest>> = {
      "a Request": new Request(url, init),
      "a URL": new URL(servers.flaky.url("/text")),
      "a string": servers.flaky.url("/text"),
      "[string]": [servers.flaky.url("/text")],
      "[string, init]": [url, init],
      "[URL, init]": [new URL(url), init],
      "a promise of [url, init]": Promise.resolve([url, init] as const),
      "a promise of a string": Promise.resolve(servers.flaky.url("/text")),
      "[url, init] with a stream": [url, post(new Blob(["over and back"]).stream())],
    };
    for (const [name, one] of Object.entries(made)) {
      const pool = new CountingPool();
      const response = await leasedFetch(pool, () => one);
      assert.match(await response.text(), /^(over and back|hello)$/, name);
      assert.deepEqual(pool.endings, ["ok"], name);
    }
  });

  // Any client could do this.
  describe("clients that disconnect during a streamed upload", () => {
    const FORMS: Record<string, (url: string, request: Request) => UpstreamRequest> = {
      "by a Request": (url, { body }) => new Request(url, post(body!)),
      "by a Request with the client's signal": (url, { body, signal }) =>
        new Request(url, post(body!, { signal })),
      "by [url, init]": (url, { body }) => [url, post(body!)],
    };
    const HEADS = {
      "chunked": "transfer-encoding: chunked\r\n\r\n4\r\npart\r\n",
      "sized": "content-length: 100000\r\n\r\npart",
    };
    for (const [form, make] of Object.entries(FORMS)) {
      for (const path of ["/swallows", "/echo"]) {
        it(`${form}, to ${path}`, async () => {
          using pool = open({ health: { failures: 1, maxEjected: 1 } });
          let [begun, handled] = [0, 0];
          const gateway = await serve(async (request) => {
            begun++;
            try {
              return await pool.fetch(() => make(servers.flaky.url(path), request));
            } catch {
              return new Response(null, { status: 502 });
            } finally {
              handled++;
            }
          });
          const port = Number(new URL(gateway.origin).port);
          for (const head of Object.values(HEADS)) {
            for (const leave of ["destroy", "resetAndDestroy"] as const) {
              const before = handled;
              const client = connect(port, "127.0.0.1").on("error", () => {});
              client.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}`);
              await until(() => begun > before);
              await sleep(20);
              client[leave]();
              await until(() => handled > before && pool.stats().inFlight === 0);
            }
          }
          const [a] = pool.stats().upstreams;
          assert.deepEqual([a!.state, a!.failed], ["healthy", 0]);
          await gateway.stop();
        });
      }
    }
  });

  it("a Response that lease.fail is given counts with its Retry-After", () => {
    using pool = open({ upstreams: [{ id: "a", maxInFlight: 8 }, { id: "b", maxInFlight: 8 }] });
    const headers = { "retry-after": "30" };
    pool.tryAcquire({ prefer: "a" })!.fail(new Response("no", { status: 429, headers }));
    const [a, b] = pool.stats().upstreams;
    assert.equal(a!.state, "cooling");
    assert.ok(a!.restsForMs > 29_000 && a!.restsForMs <= 30_000, `${a!.restsForMs} ms`);
    pool.tryAcquire({ prefer: "b" })!.fail(new Response("no", { status: 404, headers }));
    assert.equal(b!.state, "healthy");
    assert.deepEqual(pool.stats().upstreams.map(({ failed }) => failed), [1, 0]);
  });
});

function open(options: Partial<PoolOptions>): UpstreamPool {
  const upstreams = [{ id: "a", maxInFlight: 8 }];
  return new UpstreamPool({ name: crypto.randomUUID(), upstreams, ...options });
}
