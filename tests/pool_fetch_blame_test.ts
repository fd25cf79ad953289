/**
 * The decision table of blame: for each cause, the result for the caller and the report to the pool. It is
 * `docs/blame.md`. If an upstream were blamed for the faults of clients, any client could eject it.
 */
import assert from "node:assert/strict";
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type PoolOptions, UpstreamPool } from "../mod.ts";
import { leasedFetch, type PoolFetchOptions } from "../src/pool/leased_fetch.ts";
import type { MakeRequest, UpstreamRequest } from "../src/pool/made_request.ts";
import type { PeekBody } from "../src/pool/response_body.ts";
import { CountingPool, type Ending } from "./fixtures/counting_pool.ts";
import { until } from "./fixtures/fetching.ts";
import { FlakyServer } from "./fixtures/flaky_server.ts";
import { serve } from "./fixtures/native_server.ts";

let flaky: FlakyServer;
let circles: HttpServer;
let resets: Server;
let refused: string;

/** What one request comes to. */
interface Row {
  readonly cause: string;
  readonly make: () => UpstreamRequest | Promise<UpstreamRequest>;
  readonly options?: () => PoolFetchOptions;
  /** What is done with a response. */
  readonly use?: (response: Response) => unknown;
  /** What the caller gets: a status, or an error. */
  readonly gets: number | "an error" | { name?: string; message?: RegExp };
  readonly told: Ending;
}

const origin = (server: HttpServer | Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const text = (response: Response): Promise<string> => response.text();
const own = new Error("the caller's own stream broke");
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
/** A stream of a caller's that breaks in the middle. */
function breaking(): ReadableStream<Uint8Array> {
  let parts = 0;
  return new ReadableStream({
    async pull(controller) {
      await sleep(5);
      if (parts++ === 2) controller.error(own);
      else controller.enqueue(new TextEncoder().encode("a part"));
    },
  });
}
const post = (body: BodyInit, init: object = {}): RequestInit =>
  ({ method: "POST", body, duplex: "half", ...init }) as RequestInit;
const nothing = "unknown";

const ROWS: readonly Row[] = [
  {
    cause: "a blob that is not there",
    make: () => "blob:nowhere",
    gets: "an error",
    told: nothing,
  },
  // An error of the caller, before the request is sent.
  ...([
    [
      "a URL that is none",
      () => "not a URL",
      /makeRequest returned "not a URL", .* no absolute URL/,
    ],
    ["a relative URL", () => "/v1/chat", /makeRequest returned "\/v1\/chat"/],
    ["a scheme that fetch does not know", () => "ftp://x/", /makeRequest returned "ftp:\/\/x\/"/],
    ["nothing", () => undefined, /makeRequest must return a Request, .* not undefined/],
    [
      "an object",
      () => ({ url: flaky.url("/text") }),
      /makeRequest must return .* not an instance/,
    ],
    ["an empty array", () => [], /makeRequest must return .* not an array/],
    [
      "a Request and options",
      () => [new Request(flaky.url("/text")), {}],
      /makeRequest must return/,
    ],
    ["options that are none", () => [flaky.url("/text"), 5], /makeRequest must return/],
    ["GET with a body", () => [flaky.url("/text"), { body: "x" }], /body/],
    ["a header that is none", () => [flaky.url("/text"), { headers: { "a b": "c" } }], /header/i],
    ["a promise of nothing", () => Promise.resolve(null), /makeRequest must return .* not null/],
  ] as [string, () => UpstreamRequest, RegExp][]).map(([what, make, message]): Row => ({
    cause: `makeRequest returns ${what}`,
    make,
    gets: { name: "TypeError", message },
    told: nothing,
  })),
  {
    cause: "makeRequest throws",
    make: () => {
      throw new Error("no key");
    },
    gets: { message: /no key/ },
    told: nothing,
  },
  {
    cause: "a Request that was used before",
    make: () => usedRequest,
    gets: { name: "TypeError", message: /makeRequest returned a Request whose body was used/ },
    told: nothing,
  },
  {
    cause: "a stream that is being read",
    make: () => {
      const body = breaking();
      body.getReader();
      return [flaky.url("/echo"), post(body)];
    },
    gets: { name: "TypeError", message: /makeRequest returned a body that was used/ },
    told: nothing,
  },
  // The request's own body.
  {
    cause: "the request's body breaks, by [url, init]",
    make: () => [flaky.url("/swallows"), post(breaking())],
    gets: { message: /^the caller's own stream broke$/ },
    told: nothing,
  },
  {
    cause: "the request's body breaks, by a Request",
    make: () => new Request(flaky.url("/swallows"), post(breaking())),
    gets: "an error",
    told: nothing,
  },
  {
    cause: "the request's body breaks, by options.init",
    make: () => flaky.url("/swallows"),
    options: () => ({ init: () => post(breaking()) }),
    gets: { message: /^the caller's own stream broke$/ },
    told: nothing,
  },
  {
    cause: "the request's body breaks while the answer is read",
    make: () => [flaky.url("/echo"), post(breaking())],
    use: text,
    gets: { message: /^the caller's own stream broke$/ },
    told: nothing,
  },
  {
    cause: "the request's body comes more slowly than headersTimeoutMs",
    make: () => {
      let parts = 0;
      const body = new ReadableStream({
        async pull(controller) {
          await sleep(60);
          if (parts++ === 3) controller.close();
          else controller.enqueue(new TextEncoder().encode("part"));
        },
      });
      return [flaky.url("/echo"), post(body)];
    },
    options: () => ({ headersTimeoutMs: 40 }),
    use: text,
    gets: 200,
    told: "ok",
  },
  {
    cause: "a timeout of the caller's while the request's body keeps the upstream waiting",
    make: () => [
      flaky.url("/swallows"),
      post(new ReadableStream({ pull: () => sleep(60_000, undefined, { ref: false }) })),
    ],
    options: () => ({ signal: AbortSignal.timeout(50) }),
    gets: { name: "TimeoutError" },
    told: nothing,
  },
  // The caller and its client.
  {
    cause: "the caller aborts before the headers",
    make: () => flaky.url("/silent"),
    options: () => ({ signal: abortsAfter(20) }),
    gets: { message: /client left/ },
    told: nothing,
  },
  {
    cause: "the caller aborts by the signal of [url, init]",
    make: () => [flaky.url("/silent"), { signal: abortsAfter(20) }],
    gets: { message: /client left/ },
    told: nothing,
  },
  {
    cause: "the caller aborts in the body",
    make: () => flaky.url("/stalls"),
    options: () => ({ signal: abortsAfter(50) }),
    use: text,
    gets: { message: /client left/ },
    told: nothing,
  },
  {
    cause: "the client leaves: the body is cancelled",
    make: () => flaky.url("/events"),
    use: (response) => response.body!.cancel(),
    gets: 200,
    told: nothing,
  },
  // Redirects.
  {
    cause: "a redirect where none is allowed",
    make: () => new Request(flaky.url("/redirect"), { redirect: "error" }),
    gets: { name: "TypeError" },
    told: "ok",
  },
  {
    cause: "a redirect loop",
    make: () => origin(circles),
    gets: { name: "TypeError" },
    told: "ok",
  },
  {
    cause: "a redirect to no URL of HTTP",
    make: () => `${origin(circles)}ftp`,
    gets: { name: "TypeError" },
    told: "ok",
  },
  // The upstream's own.
  {
    cause: "a name that does not resolve",
    make: () => "http://no-such-host.invalid/",
    gets: { name: "TypeError" },
    told: {},
  },
  { cause: "connection refused", make: () => refused, gets: { name: "TypeError" }, told: {} },
  {
    cause: "connection refused, with a body",
    make: () => [refused, post("a body")],
    gets: { name: "TypeError" },
    told: {},
  },
  {
    cause: "reset before the headers",
    make: () => origin(resets),
    gets: { name: "TypeError" },
    told: {},
  },
  {
    cause: "reset before the headers, in the middle of a Request's stream",
    make: () => new Request(origin(resets), post(slowly())),
    gets: { name: "TypeError" },
    told: {},
  },
  {
    cause: "reset before the headers, in the middle of a stream",
    make: () => [origin(resets), post(slowly())],
    gets: { name: "TypeError" },
    told: {},
  },
  {
    cause: "reset in the body",
    make: () => flaky.url("/short"),
    use: text,
    gets: "an error",
    told: {},
  },
  {
    cause: "a timeout before the headers",
    make: () => flaky.url("/silent"),
    options: () => ({ headersTimeoutMs: 30 }),
    gets: { name: "TimeoutError" },
    told: { timedOut: true },
  },
  {
    cause: "a timeout before the headers, after a stream was sent",
    make: () => [flaky.url("/silent"), post(slowly())],
    options: () => ({ headersTimeoutMs: 60 }),
    gets: { name: "TimeoutError" },
    told: { timedOut: true },
  },
  {
    cause: "a timeout in the body",
    make: () => flaky.url("/stalls"),
    options: () => ({ idleTimeoutMs: 30 }),
    use: text,
    gets: { name: "TimeoutError" },
    told: { timedOut: true },
  },
  // Statuses.
  { cause: "200", make: () => flaky.url("/text"), use: text, gets: 200, told: "ok" },
  { cause: "204", make: () => flaky.url("/no-content"), gets: 204, told: "ok" },
  { cause: "a redirect by hand", make: manual, use: text, gets: 302, told: "ok" },
  { cause: "401", make: () => flaky.url("/401"), use: text, gets: 401, told: "ok" },
  { cause: "500", make: () => flaky.url("/500"), use: text, gets: 500, told: { status: 500 } },
  {
    cause: "429 with Retry-After",
    make: () => flaky.url("/429"),
    use: text,
    gets: 429,
    told: { status: 429, retryAfterMs: 2000 },
  },
  {
    cause: "500, and the client leaves",
    make: () => flaky.url("/500"),
    use: (response) => response.body!.cancel(),
    gets: 500,
    told: { status: 500 },
  },
  // Classifying.
  {
    cause: "an async classify that says nothing",
    make: () => flaky.url("/500"),
    options: () => ({ classify: async () => await sleep(1, undefined) }),
    use: text,
    gets: 500,
    told: "ok",
  },
  {
    cause: "an async classify that rejects",
    make: () => flaky.url("/events"),
    options: () => ({ classify: () => Promise.reject(new Error("no class")) }),
    gets: { message: /no class/ },
    told: nothing,
  },
  {
    cause: "the caller aborts while classify is pending",
    make: () => flaky.url("/events"),
    options: () => ({ signal: abortsAfter(20), classify: () => new Promise<undefined>(() => {}) }),
    gets: { message: /client left/ },
    told: nothing,
  },
  {
    cause: "classify reads the response itself",
    make: () => flaky.url("/text"),
    options: () => ({ classify: ({ body }) => void body!.getReader() }),
    gets: { name: "TypeError", message: /options.classify must not read the response: use peek/ },
    told: nothing,
  },
];

let usedRequest: Request;

function manual(): UpstreamRequest {
  return [new URL(flaky.url("/redirect")), { redirect: "manual" }];
}

function abortsAfter(ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("client left")), ms);
  return controller.signal;
}

/** A stream that goes well, if one lets it. */
function slowly(): ReadableStream<Uint8Array> {
  let parts = 0;
  return new ReadableStream({
    async pull(controller) {
      await sleep(10);
      if (parts++ === 5) controller.close();
      else controller.enqueue(new TextEncoder().encode("a part"));
    },
  });
}

describe("Blame:", () => {
  before(async () => {
    flaky = await FlakyServer.start();
    const gone = await FlakyServer.start();
    refused = gone.url("/");
    await gone[Symbol.asyncDispose]();
    circles = createServer((request, response) => {
      const location = request.url === "/ftp" ? "ftp://x/" : "/";
      response.writeHead(302, { location }).end();
    });
    resets = createTcpServer((socket) => {
      socket.on("error", () => {}).once("data", () => void socket.resetAndDestroy());
    });
    for (const server of [circles, resets]) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
    usedRequest = new Request(flaky.url("/echo"), post("used"));
    await (await fetch(usedRequest)).text();
  });
  after(async () => {
    await flaky[Symbol.asyncDispose]();
    circles.closeAllConnections();
    circles.close();
    resets.close();
  });

  for (const { cause, make, gets, told, use, options } of ROWS) {
    it(cause, async () => {
      const pool = new CountingPool();
      const got = (async () => {
        const response = await leasedFetch(pool, make as MakeRequest, options?.());
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
    let server: HttpServer;
    before(async () => {
      server = createServer((request, response) => {
        if (request.url === "/gemini") return response.writeHead(429).end(RETRY);
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(EVENT.slice(0, 9));
        setTimeout(() => response.write(EVENT.slice(9)), 10);
        if (request.url === "/sse-ends") setTimeout(() => response.end("event: end\n\n"), 20);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    it("which is whole for the caller: Gemini's retryDelay", async () => {
      const pool = new CountingPool();
      const response = await leasedFetch(pool, () => `${origin(server)}gemini`, {
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
      const response = await leasedFetch(pool, () => flaky.url("/text"), { classify: asked });
      await response.text();
      assert.deepEqual(pool.endings, [{ status: 503, retryAfterMs: 3000 }]);
    });

    for (const path of ["sse-ends", "sse"]) {
      it(`no further than the first event: ${path}`, async () => {
        const pool = new CountingPool();
        const response = await leasedFetch(pool, () => origin(server) + path, {
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
        const response = await leasedFetch(pool, () => `${origin(server)}sse-ends`, { classify });
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
      const got = leasedFetch(pool, () => flaky.url("/short"), { classify });
      await assert.rejects(got);
      assert.deepEqual(pool.endings, [{}]);
    });
  });

  it("makes a request of everything that makeRequest may return", async () => {
    const url = flaky.url("/echo");
    const init = { method: "POST", body: "over and back" };
    const made: Record<string, UpstreamRequest | Promise<UpstreamRequest>> = {
      "a Request": new Request(url, init),
      "a URL": new URL(flaky.url("/text")),
      "a string": flaky.url("/text"),
      "[string]": [flaky.url("/text")],
      "[string, init]": [url, init],
      "[URL, init]": [new URL(url), init],
      "a promise of [url, init]": Promise.resolve([url, init] as const),
      "a promise of a string": Promise.resolve(flaky.url("/text")),
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
              return await pool.fetch(() => make(flaky.url(path), request));
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
