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
import { runOptions, RUNTIME } from "./support/runtime.ts";

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
    const command = RUNTIME === "deno"
      ? ["serve", "-A", "--no-check", "--quiet", "--parallel", "--unstable-no-legacy-abort"]
        .concat("--host", "127.0.0.1", "--port", `${port}`, `${EXAMPLES}/gateway.ts`)
      : [...runOptions(), `${EXAMPLES}/gateway/workers.ts`];
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
    for await (const part of await openai.chat.completions.create({ ...request, stream: true })) {
      assert.equal(part.choices.length, 1, "no chunk that was not asked for");
      streamed += part.choices[0]!.delta.content ?? "";
    }
    assert.equal(streamed, text);
    const asked = { ...request, stream: true as const, stream_options: { include_usage: true } };
    let usage;
    for await (const part of await openai.chat.completions.create(asked)) usage ??= part.usage;
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

  it("serves a model that is not known yet", async () => {
    const { usage } = await client("kim").chat.completions.create({ ...request, model: "gpt-6" });
    assert.ok(usage!.prompt_tokens > 0);
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
    await assert.rejects(ask({ model: 5 }), /400 model must be a string/);
    await assert.rejects(ask({ messages: "hello" }), /400 messages must be an array/);
    // What the gateway does not know, the upstream decides.
    await assert.rejects(
      ask({ messages: [{ role: "user", content: 5 }] }),
      /400 messages\[0\]\.content/,
    );
    await assert.rejects(openai.models.list(), { status: 404 });
  });

  it("counts bad requests", async () => {
    const openai = client("mal");
    const wrong = { ...request, messages: [{ role: "user" as const, content: 5 }] };
    const statuses: number[] = [];
    for (let i = 0; i < BURST + 60 && statuses.at(-1) !== 429; i++) {
      const failed = await openai.chat.completions.create(wrong as never).catch((error) => error);
      statuses.push(failed.status);
    }
    assert.equal(statuses.at(-1), 429);
    assert.ok(statuses.slice(0, -1).every((status) => status === 400), `${statuses}`);
  });
});

describe("an answer that is metered", () => {
  const limits = {
    rpd: quota({ unit: "requests", limit: 1e6, per: "day" }),
    day: quota({ unit: "tokens", limit: 1e6, per: "day" }),
  };
  const limiter = new RateLimiter({ name: "metered", limits });
  const tokenizer = new Tokenizer("o200k_base");
  const words = ["one", " two", " three"];
  const event = (rest: unknown) => `data: ${JSON.stringify(rest)}\n\n`;
  const parts = words.map((content) => event({ choices: [{ index: 0, delta: { content } }] }));
  const usage = event({ choices: [], usage: { total_tokens: 77 } });
  const done = "data: [DONE]\n\n";
  const stream = { headers: { "content-type": "text/event-stream" } };
  const text = (response: Response) => response.text();
  /** What the prompt and the first `n` words cost. */
  const seen = (n: number) => 10 + tokenizer.count(words.slice(0, n).join(""));

  /** What was charged, what `read` returned, and whether the upstream was left. */
  interface Charged<T> {
    readonly tokens: number;
    readonly requests: number;
    readonly got: T;
    readonly isLeft: boolean;
  }

  async function charged<T>(
    tenant: string,
    chunks: readonly (string | Uint8Array)[],
    init: ResponseInit,
    read: (body: Response) => Promise<T>,
    wantsUsage = true,
  ): Promise<Charged<T>> {
    const call = limiter.reserve(tenant, { tokens: 1000 });
    assert.ok(call.allowed);
    let next = 0;
    let isLeft = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (next === chunks.length) return controller.close();
        const chunk = chunks[next++]!;
        controller.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
      },
      cancel: () => void (isLeft = true),
    }, { highWaterMark: 0 });
    const asked = { tokenizer, promptTokens: 10, wantsUsage };
    const got = await read(new Response(metered(new Response(body, init), call, asked)));
    const { day, rpd } = limiter.inspect(tenant);
    assert.equal(day.outstanding, 0, tenant);
    return { tokens: day.used, requests: rpd.used, got, isLeft };
  }

  it("costs what the upstream told", async () => {
    assert.equal((await charged("told", [...parts, usage], stream, text)).tokens, 77);
    const whole = [JSON.stringify({ choices: [], usage: { total_tokens: 55 } })];
    assert.equal((await charged("whole", whole, {}, text)).tokens, 55);
  });

  it("costs a request and no tokens if it was wrong, and nothing if the upstream failed", async () => {
    for (const [status, requests] of [[400, 1], [404, 1], [422, 1], [429, 0], [500, 0], [529, 0]]) {
      const refused = await charged(`refused with ${status}`, ["no"], { status: status! }, text);
      assert.deepEqual([refused.requests, refused.tokens, refused.got], [requests, 0, "no"]);
    }
  });

  it("costs what went through if the client leaves, and the upstream is left", async () => {
    const some = async ({ body }: Response) => {
      const reader = body!.getReader();
      for (let i = 0; i < 2; i++) await reader.read();
      await reader.cancel();
    };
    const { tokens, isLeft } = await charged("some", [...parts, usage], stream, some);
    // The stream may have read one part ahead.
    assert.ok([seen(2), seen(3)].includes(tokens), `${tokens}`);
    assert.equal(isLeft, true);
  });

  it("passes on every byte of an answer that it does not understand", async () => {
    const odd: Record<string, string> = {
      "null": "data: null\n\n",
      "a ping": "data: ping\n\n: a comment\n\n",
      "no choices": event({ choices: null, usage: null }),
      "a choice that is null": event({ choices: [null, 5, { index: "x", delta: null }] }),
      "half an object": "data: {\n\n",
      "an array": "data: [1]\n\n",
      "HTML": "<!doctype html><title>Bad gateway</title>\n\n",
      "content that is a list": event({ choices: [{ index: 0, delta: { content: [1] } }] }),
      "usage of another kind": event({ choices: [], usage: "many" }),
      "a negative count": event({ choices: [], usage: { total_tokens: -5 } }),
      "a fraction": event({ choices: [], usage: { total_tokens: 0.5 } }),
      "an absurd count": event({ choices: [], usage: { total_tokens: 1e300 } }),
    };
    const tellsUsage = new Set(["a negative count", "a fraction", "an absurd count"]);
    for (const [name, what] of Object.entries(odd)) {
      const chunks = [parts[0]!, what, parts[1]!, done];
      for (const wantsUsage of [true, false]) {
        const { got, tokens } = await charged(
          `${name} ${wantsUsage}`,
          chunks,
          stream,
          text,
          wantsUsage,
        );
        const isHidden = !wantsUsage && tellsUsage.has(name);
        assert.equal(got, isHidden ? chunks.toSpliced(1, 1).join("") : chunks.join(""), name);
        assert.equal(tokens, seen(2), name);
      }
      const whole = await charged(`whole: ${name}`, [what], {}, text);
      assert.deepEqual([whole.got, whole.tokens], [what, 10], name);
    }
    const bytes = new Uint8Array([0xff, 0xfe, 0, 10, 13, 10, 10, 0x80]);
    const read = async (response: Response) => new Uint8Array(await response.arrayBuffer());
    assert.deepEqual((await charged("no text", [bytes], stream, read, false)).got, bytes);
  });

  it("does not keep a whole answer that is huge", async () => {
    const part = "x".repeat(1_000_000);
    const huge = await charged("huge", [...Array(8).fill(part), "\n\n"], stream, text, false);
    assert.deepEqual([huge.got.length, huge.tokens], [8_000_002, 10]);
    const whole = await charged("huge and whole", Array(8).fill(part), {}, text);
    assert.deepEqual([whole.got.length, whole.tokens], [8_000_000, 10]);
  });

  it("hides the usage from a client that did not ask for it, and nothing else", async () => {
    const all = [...parts, usage, done].join("");
    const rest = [...parts, done].join("");
    for (const lines of ["\n", "\r\n"]) {
      const [sent, expected] = [all, rest].map((text) => text.replaceAll("\n", lines));
      const bytes = new TextEncoder().encode(sent!);
      for (const size of [1, 2, 3, 7, 50, 1000]) {
        const count = Math.ceil(bytes.length / size);
        const chunks = Array.from(
          { length: count },
          (_, i) => bytes.slice(i * size, (i + 1) * size),
        );
        const name = `hidden ${JSON.stringify(lines)} ${size}`;
        const { got, tokens } = await charged(name, chunks, stream, text, false);
        assert.deepEqual([got, tokens], [expected, 77], name);
      }
    }
    // Without a blank line at its end, and with unusual line ends.
    assert.equal((await charged("cut off", ["data: 1"], stream, text, false)).got, "data: 1");
    const returns = all.replaceAll("\n", "\r");
    assert.equal((await charged("returns", [returns], stream, text, false)).got, returns);
  });
});
