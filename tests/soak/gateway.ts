/**
 * The gateway of the soak: counts, limits and forwards, and keeps responses in every way that a gateway does. Prints
 * a sample for each line on standard input.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { concurrency, rate, RateLimiter, Tokenizer, UpstreamPool } from "../../mod.ts";
import { collect } from "../fixtures/garbage.ts";
import type { Sample } from "./sample.ts";

const upstream = process.argv[2]!;
const PROMPT = "The quick brown fox 狐 jumps over the lazy dög. ";

const tokenizer = new Tokenizer("o200k_base", { cache: true });
const limiter = new RateLimiter({
  name: "tenants",
  maxKeys: 200,
  reservationTtlMs: 5000,
  limits: {
    tpm: rate({ unit: "tokens", limit: 1e9, per: "minute" }),
    live: concurrency({ limit: 64 }),
  },
});
const pool = new UpstreamPool({
  name: "upstream",
  upstreams: ["a", "b", "c"].map((id) => ({ id, maxInFlight: 24 })),
  queue: { max: 100, timeoutMs: 2000 },
  health: { failures: 50, cooldownMs: 200 },
});
/** Outlives every request, and so must keep none of them alive. */
const shutdown = new AbortController();

let [requests, failed, aborted] = [0, 0, 0];
const errors: Record<string, number> = {};

function note(error: unknown): void {
  const { code, name } = error as { code?: unknown; name?: unknown };
  const key = String(typeof code === "string" ? code : name);
  errors[key] = (errors[key] ?? 0) + 1;
}

async function handle(request: Request): Promise<Response> {
  const number = ++requests;
  const kind = new URL(request.url).searchParams.get("kind")!;
  const prompt = PROMPT.repeat(1 + number % 40) + number;
  const tokens = tokenizer.count(prompt);
  const decision = limiter.reserve(`tenant ${number % 150}`, { tokens });
  if (!decision.allowed) return new Response("denied", { status: 429 });
  const call = decision;
  try {
    if (number % 40 === 0) {
      const signal = AbortSignal.timeout(3);
      await tokenizer.countAsync(PROMPT.repeat(1500), { signal }).catch(note);
    }
    const response = await pool.fetch(
      () => new Request(`${upstream}/${kind}`, { method: "POST", body: prompt }),
      {
        signal: number % 3 === 0 ? shutdown.signal : request.signal,
        headersTimeoutMs: 3000,
        idleTimeoutMs: 3000,
      },
    );
    // Dropped with its lease: the garbage collector must find both.
    const later = () => response;
    if (kind === "endless") {
      call.settle({ tokens });
      return Response.json({ forgot: typeof later });
    }
    if (later().body === null) {
      call.settle({ tokens });
      return new Response(null, { status: response.status });
    }
    const metered = (): ReadableStream<Uint8Array> => {
      const counter = tokenizer.counter();
      const decoder = new TextDecoder();
      const reader = later().body!.getReader();
      let used = 0;
      const settle = (): void => {
        counter.close();
        call.settle({ tokens: used });
      };
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) {
              settle();
              return controller.close();
            }
            used = counter.push(decoder.decode(value, { stream: true }));
            controller.enqueue(value);
          } catch (error) {
            failed++;
            note(error);
            settle();
            controller.error(error);
          }
        },
        async cancel(reason) {
          aborted++;
          settle();
          await reader.cancel(reason);
        },
      });
    };
    return new Response(number % 2 === 0 ? metered() : response.clone().body, {
      status: response.status,
    });
  } catch (error) {
    failed++;
    note(error);
    // Some drop it: it is settled in full when it expires.
    if (number % 3 !== 0) call.cancel();
    return new Response("bad gateway", { status: 502 });
  }
}

const started = performance.now();

async function sample(): Promise<Sample> {
  collect();
  await sleep(20);
  collect();
  const status = readFileSync("/proc/self/status", "utf8");
  const read = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]);
  const { inFlight, waiting } = pool.stats();
  return {
    seconds: (performance.now() - started) / 1000,
    requests,
    rssBytes: read("VmRSS") * 1024,
    heapBytes: process.memoryUsage().heapUsed,
    files: readdirSync("/proc/self/fd").length,
    threads: read("Threads"),
    inFlight,
    waiting,
    reservations: limiter.stats().reservations,
    failed,
    aborted,
    errors,
  };
}

// A body may fail while the client reads it.
process.on("unhandledRejection", note);
const { Bun, Deno } = globalThis as unknown as {
  Bun?: { serve(options: object): { port: number } };
  Deno?: { serve(options: object, handler: unknown): { addr: { port: number } } };
};
const port = Bun !== undefined
  ? Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 60, fetch: handle }).port
  : Deno!.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handle).addr.port;
console.log(`http://127.0.0.1:${port}`);
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await sample()));
}
process.exit(0);
