/** The gateway of the examples, as a server of several Workers, asked by OpenAI's own client. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { type Served, startFakeUpstream } from "../examples/gateway/fake_upstream.ts";
import { metered } from "../examples/gateway/metered.ts";
import { quota, RateLimiter, Tokenizer } from "../mod.ts";

const EXAMPLES = fileURLToPath(new URL("../examples", import.meta.url));
/** As the example has them. */
const LIVE = 16;
const BURST = 60;
const PER_SECOND = 10;

const request = {
  model: "gpt-5",
  messages: [{ role: "user" as const, content: "What is a lease?" }],
  max_completion_tokens: 64,
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("examples/gateway.ts", () => {
  const served = new Map<string, Served>();
  let gateway: ChildProcess;
  let port: number;

  before(async () => {
    port = await freePort();
    const command = process.versions["bun"] === undefined
      ? ["serve", "-A", "--no-check", "--quiet", "--parallel", "--unstable-no-legacy-abort"]
        .concat("--host", "127.0.0.1", "--port", `${port}`, `${EXAMPLES}/gateway.ts`)
      : [`${EXAMPLES}/gateway/workers.ts`];
    const upstream = await startFakeUpstream(served);
    gateway = spawn(process.execPath, command, {
      env: { ...process.env, UPSTREAM: upstream, KEYS: "sk-a,sk-b", PORT: `${port}` },
      stdio: ["ignore", "ignore", "inherit"],
    });
    for (let tries = 0; tries < 400; tries++) {
      const answer = await fetch(`http://127.0.0.1:${port}`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 404) return;
      await sleep(50);
    }
    throw new Error("the gateway does not answer");
  });

  after(() => void gateway.kill());

  const client = (apiKey: string, maxRetries = 0): OpenAI =>
    new OpenAI({ apiKey, maxRetries, baseURL: `http://127.0.0.1:${port}/v1` });
  const sum = (of: (served: Served) => number): number =>
    [...served.values()].reduce((sum, served) => sum + of(served), 0);

  /** How many places a tenant has, by the headers of an answer; the answer itself has one of them. */
  async function places(tenant: string): Promise<number> {
    const { response, data } = await client(tenant, 9).chat.completions.create({
      ...request,
      max_completion_tokens: 1,
    }).withResponse();
    assert.ok(data.usage);
    return 1 + Number(/"live";r=(\d+)/.exec(response.headers.get("ratelimit") ?? "")?.[1]);
  }

  it("answers, whole and in a stream", async () => {
    const openai = client("ada");
    const whole = await openai.chat.completions.create(request);
    const text = whole.choices[0]!.message.content!;
    assert.ok(text.length > 100);
    let streamed = "";
    let usage;
    for await (const part of await openai.chat.completions.create({ ...request, stream: true })) {
      streamed += part.choices[0]?.delta.content ?? "";
      usage = part.usage ?? usage;
    }
    assert.equal(streamed, text);
    assert.deepEqual(usage, whole.usage);
    assert.deepEqual([...served.keys()].sort(), ["sk-a", "sk-b"], "each key had one of them");
  });

  it("counts a tenant's requests over all Workers", async () => {
    const start = performance.now();
    const results = await Promise.allSettled(
      Array.from({ length: 400 }, async (_, i) => {
        // Each opens a connection of its own, so that every Worker has some.
        const { status, body } = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: "Bearer bob", connection: "close" },
          body: JSON.stringify({ ...request, max_completion_tokens: 1 + i % 2 }),
        });
        await body?.cancel();
        return status;
      }),
    );
    const seconds = (performance.now() - start) / 1000;
    const statuses = results.map((result) => result.status === "fulfilled" ? result.value : 0);
    const admitted = statuses.filter((status) => status === 200).length;
    assert.ok(statuses.every((status) => status === 200 || status === 429), `${statuses}`);
    assert.ok(admitted >= LIVE, `${admitted}`);
    assert.ok(admitted <= BURST + PER_SECOND * seconds + 1, `${admitted} in ${seconds} s`);
  });

  it("lets no more through at a time than a tenant may have, and its client waits", async () => {
    for (const count of served.values()) count.most = 0;
    const openai = client("eve", 30);
    const answers = await Promise.all(Array.from({ length: 48 }, async () => {
      let text = "";
      for await (const part of await openai.chat.completions.create({ ...request, stream: true })) {
        text += part.choices[0]?.delta.content ?? "";
      }
      return text;
    }));
    assert.equal(new Set(answers).size, 1);
    assert.ok(sum(({ most }) => most) <= LIVE, `${sum(({ most }) => most)}`);
    assert.ok(sum(({ most }) => most) > LIVE / 2, `${sum(({ most }) => most)}`);
  });

  it("gives back what a client had that left", async () => {
    const openai = client("joe");
    await Promise.all(Array.from({ length: LIVE }, async (_, i) => {
      const gone = new AbortController();
      if (i % 4 === 0) setTimeout(() => gone.abort(), i);
      const asked = openai.chat.completions.create({ ...request, stream: true }, {
        signal: gone.signal,
      });
      const stream = await asked.catch(() => undefined);
      // Some before the headers, some before they read anything, and some after.
      if (i % 4 === 1) gone.abort();
      else if (stream !== undefined) { for await (const _ of stream) break; }
    }));
    // Servers see a moment later that somebody left.
    const end = performance.now() + 20_000;
    while (sum(({ inFlight }) => inFlight) > 0 && performance.now() < end) await sleep(20);
    assert.equal(sum(({ inFlight }) => inFlight), 0, "the upstream is left, too");
    while (await places("joe") < LIVE && performance.now() < end) await sleep(200);
    assert.equal(await places("joe"), LIVE);
  });

  it("says what is wrong", async () => {
    const openai = client("kim");
    const ask = (more: object) => openai.chat.completions.create({ ...request, ...more });
    await assert.rejects(ask({ max_completion_tokens: 100_000 }), {
      status: 400,
      code: "rate_limit_exceeded",
    });
    for (const length of [-5, 0, 0.5, 1e300, "many"]) {
      await assert.rejects(ask({ max_completion_tokens: length }), { status: 400 }, `${length}`);
    }
    await assert.rejects(ask({ n: -1 }), /400 n must be from 1 to 128/);
    await assert.rejects(ask({ model: "gtp-5" }), /400 Unknown model "gtp-5"/);
    await assert.rejects(
      ask({ messages: [{ role: "user", content: 5 }] }),
      /messages\[0\]\.content/,
    );
    await assert.rejects(openai.models.list(), { status: 404 });
  });
});

describe("an answer that is metered", () => {
  const limits = { day: quota({ unit: "tokens", limit: 1e6, per: "day" }) };
  const limiter = new RateLimiter({ name: "metered", limits });
  const words = ["one", " two", " three"];
  const event = (rest: object) => `data: ${JSON.stringify(rest)}\n\n`;
  const parts = words.map((content) => event({ choices: [{ index: 0, delta: { content } }] }));
  const usage = event({ choices: [], usage: { total_tokens: 77 } });
  const stream = { headers: { "content-type": "text/event-stream" } };

  /** What a tenant is charged for an answer that is read as told; and whether the upstream is left. */
  async function charged(
    tenant: string,
    chunks: readonly string[],
    init: ResponseInit,
    read: (body: Response) => Promise<unknown>,
  ): Promise<[number, boolean]> {
    const call = limiter.reserve(tenant, { tokens: 1000 });
    assert.ok(call.allowed);
    let next = 0;
    let isLeft = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (next === chunks.length) return controller.close();
        controller.enqueue(new TextEncoder().encode(chunks[next++]));
      },
      cancel: () => void (isLeft = true),
    }, { highWaterMark: 0 });
    await read(new Response(metered(new Response(body, init), call, "gpt-5", 10)));
    const { used, outstanding } = limiter.inspect(tenant).day;
    assert.equal(outstanding, 0, tenant);
    return [used, isLeft];
  }

  it("costs what the upstream told", async () => {
    const text = (response: Response) => response.text();
    assert.deepEqual(await charged("told", [...parts, usage], stream, text), [77, false]);
    const whole = [JSON.stringify({ choices: [], usage: { total_tokens: 55 } })];
    assert.deepEqual(await charged("whole", whole, {}, text), [55, false]);
    assert.deepEqual(await charged("refused", ["no"], { status: 500 }, text), [0, false]);
  });

  it("costs what went through if the client leaves, and the upstream is left", async () => {
    const some = async ({ body }: Response) => {
      const reader = body!.getReader();
      for (let i = 0; i < 2; i++) await reader.read();
      await reader.cancel();
    };
    const [used, isLeft] = await charged("some", [...parts, usage], stream, some);
    // The stream may have read one part ahead.
    const seen = [2, 3].map((n) =>
      10 + new Tokenizer("o200k_base").count(words.slice(0, n).join(""))
    );
    assert.ok(seen.includes(used), `${used}`);
    assert.equal(isLeft, true);
    const garbage = (response: Response) => assert.rejects(response.text());
    assert.deepEqual(await charged("garbage", ["data: {\n\n", usage], stream, garbage), [10, true]);
  });
});
