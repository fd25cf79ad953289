/** Denials as the clients of gateways see them: OpenAI's SDK, Anthropic's and the AI SDK. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import {
  concurrency,
  deniedResponse,
  type DeniedResponseOptions,
  quota,
  rate,
  RateLimiter,
  VirtualClock,
} from "../mod.ts";
import { refused } from "./support/limiter.ts";

/** The part of the AI SDK that is used, because Deno's checker cannot check its own types. */
interface AiSdk {
  generateText(options: object): Promise<unknown>;
  readonly APICallError: {
    isInstance(error: unknown): error is Error & { statusCode: number; isRetryable: boolean };
  };
  readonly RetryError: { isInstance(error: unknown): boolean };
}
interface OpenAiProvider {
  createOpenAI(options: object): { chat(model: string): unknown };
}
const [ai, provider]: readonly string[] = ["ai", "@ai-sdk/openai"];
const { APICallError, generateText, RetryError }: AiSdk = await import(ai!);
const { createOpenAI }: OpenAiProvider = await import(provider!);

/** Noon, as the clients would be told to wait for 12 hours. */
const clock = new VirtualClock(Date.UTC(2024, 0, 1, 12));
const limiter = new RateLimiter({
  clock,
  limits: {
    tpm: rate({ unit: "tokens", limit: 100, per: "minute" }),
    day: quota({ limit: 1, per: "day" }),
    live: concurrency({ limit: 1 }),
  },
});
const soon = limiter.reserve("soon", { tokens: 100 });
const today = limiter.reserve("today");
const busy = limiter.reserve("busy", { requests: 0 });
for (const call of [soon, today]) if (call.allowed) call.settle();
assert.ok(busy.allowed);

/** The cost for each key, so that each is denied in its own way. */
const COSTS = {
  soon: { requests: 0, tokens: 1, concurrent: 0 },
  today: { requests: 1, tokens: 0, concurrent: 0 },
  busy: { requests: 0, tokens: 0, concurrent: 1 },
  never: { requests: 0, tokens: 101, concurrent: 0 },
} as const;
type Key = keyof typeof COSTS;

let asked = 0;
let options: DeniedResponseOptions = {};
const server = createServer((request, response) => {
  asked++;
  const key = String(
    request.headers["x-api-key"] ?? request.headers.authorization?.replace("Bearer ", ""),
  ) as Key;
  const denied = refused(limiter.peek(key, COSTS[key]));
  const answer = deniedResponse(denied, { limiter, key }, options);
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  void answer.text().then((body) => response.end(body));
});
let origin = "";

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

/** The error of a call, the number of its requests, and the time that it took. */
async function fail(call: () => Promise<unknown>): Promise<[error: unknown, asked: number]> {
  asked = 0;
  try {
    await call();
  } catch (error) {
    return [error, asked];
  }
  throw new Error("it was not refused");
}

describe("OpenAI's client", () => {
  const ask = (key: Key, maxRetries = 1) =>
    fail(() =>
      new OpenAI({ apiKey: key, baseURL: origin, maxRetries }).chat.completions.create({
        model: "gpt-5",
        messages: [{ role: "user", content: "Hi" }],
      })
    );

  it("has the message, the type and the code, and waits for the given time", async () => {
    const [error, asked] = await ask("soon");
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(asked, 2);
    assert.match(error.message, /^429 The request does not fit the limit "tpm" now: try again in/);
    assert.deepEqual([error.code, error.type, error.param], [
      "rate_limit_exceeded",
      "tokens",
      null,
    ]);
  });

  it("does not repeat a request that never fits, or not for hours", async () => {
    const [never, times] = await ask("never", 2);
    assert.ok(never instanceof OpenAI.BadRequestError);
    assert.deepEqual([times, never.code, never.type], [1, "rate_limit_exceeded", "tokens"]);
    assert.match(never.message, /costs more than the limit "tpm" ever allows/);
    const [today, again] = await ask("today", 2);
    assert.ok(today instanceof OpenAI.RateLimitError);
    assert.deepEqual([again, today.type], [1, "requests"]);
    assert.match(today.message, /try again in 12h0m0s/);
  });

  it("repeats a request if open requests hold the amount", async () => {
    const [error, asked] = await ask("busy");
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.deepEqual([asked, error.type], [2, "concurrent"]);
  });
});

describe("Anthropic's client", () => {
  const ask = async (key: Key, problem?: "temporary-reduced-capacity") => {
    options = { errorForm: "anthropic", ...(problem === undefined ? {} : { problem }) };
    try {
      const client = new Anthropic({ apiKey: key, baseURL: origin, maxRetries: 1 });
      return await fail(() =>
        client.messages.create({
          model: "claude-test",
          max_tokens: 9,
          messages: [{ role: "user", content: "Hi" }],
        })
      );
    } finally {
      options = {};
    }
  };
  /** The body's `error`, as it came. */
  const told = (error: unknown) => {
    assert.ok(error instanceof Anthropic.APIError);
    return error.error as { type: string; error: { type: string; message: string } };
  };

  it("has a body in Anthropic's form, and the type of the error", async () => {
    const [error, asked] = await ask("soon");
    assert.ok(error instanceof Anthropic.RateLimitError);
    assert.equal(asked, 2);
    const { type, error: { type: kind, message } } = told(error);
    assert.deepEqual([type, kind], ["error", "rate_limit_error"]);
    assert.match(message, /^The request does not fit the limit "tpm" now: try again in/);
    const [busy] = await ask("soon", "temporary-reduced-capacity");
    assert.equal(told(busy).error.type, "overloaded_error");
  });

  it("does not repeat a request that never fits, or not for hours", async () => {
    const [never, times] = await ask("never", "temporary-reduced-capacity");
    assert.ok(never instanceof Anthropic.BadRequestError);
    assert.deepEqual([times, told(never).error.type], [1, "invalid_request_error"]);
    const [today, again] = await ask("today");
    assert.ok(today instanceof Anthropic.RateLimitError);
    assert.equal(again, 1);
  });
});

describe("the AI SDK", () => {
  const ask = (key: Key, maxRetries?: number) =>
    fail(() =>
      generateText({
        model: createOpenAI({ apiKey: key, baseURL: origin }).chat("gpt-5"),
        prompt: "Hi",
        ...(maxRetries === undefined ? {} : { maxRetries }),
      })
    );

  it("has the message", async () => {
    const [error] = await ask("soon", 0);
    assert.ok(APICallError.isInstance(error));
    assert.match(error.message, /^The request does not fit the limit "tpm" now: try again in/);
    assert.deepEqual([error.statusCode, error.isRetryable], [429, true]);
  });

  it("does not repeat a request that never fits", async () => {
    const started = performance.now();
    const [error, asked] = await ask("never");
    assert.ok(!RetryError.isInstance(error));
    assert.ok(APICallError.isInstance(error));
    assert.deepEqual([error.statusCode, error.isRetryable, asked], [400, false, 1]);
    assert.match(error.message, /costs more than the limit "tpm" ever allows/);
    assert.ok(performance.now() - started < 2000, "no round of retries");
  });

  it("waits for the given time", async () => {
    const [error, asked] = await ask("busy", 1);
    assert.ok(RetryError.isInstance(error));
    assert.equal(asked, 2);
  });
});
