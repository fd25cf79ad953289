/**
 * How much resident memory it takes to remember many keys that have used something, in a process of its
 * own: `--name NAME --keys N` prints bytes a key.
 *
 * Names are made and dropped, as those of requests are. Before the first look as many go through a
 * limiter that keeps none, until the process does not grow any more. What the heap has in store and does
 * not use is taken off at both looks, as a process may have it anyway; of what it uses, garbage is
 * collected first (the runtime has to be told to let it: see `runSelf`).
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { RateLimiter as NpmLimiter } from "limiter";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { concurrency, type Limits, quota, rate, type RateLimit, RateLimiter } from "../../mod.ts";
import { MapGcra, OPEN } from "./gcra.ts";

/** Those whose memory is measured. */
export const HOLDERS = [
  "sluice, one limit",
  "sluice, four limits",
  "Map",
  "npm limiter",
  "rate-limiter-flexible",
] as const;

/** One of {@linkcode HOLDERS}. */
export type Holder = (typeof HOLDERS)[number];

type Use = (key: string) => unknown;

/** Never reached, so that no key makes room for another. */
const MOST = 2_000_000;
const ONE: Limits<"rpm", RateLimit> = { rpm: rate({ limit: 600, per: "minute" }) };
const FOUR = {
  ...ONE,
  tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
  day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
  live: concurrency({ limit: 8 }),
};

function open(holder: Holder): Use {
  switch (holder) {
    case "sluice, one limit": {
      const limiter = new RateLimiter({ name: holder, limits: ONE, maxKeys: MOST });
      return (key) => limiter.take(key);
    }
    case "sluice, four limits": {
      const limiter = new RateLimiter({ name: holder, limits: FOUR, maxKeys: MOST });
      const cost = { tokens: 1200, concurrent: 0 } as const;
      return (key) => limiter.take(key, cost);
    }
    case "Map": {
      const gcra = new MapGcra(OPEN);
      return (key) => gcra.take(key, 1, performance.now());
    }
    case "npm limiter": {
      const limiters = new Map<string, NpmLimiter>();
      return (key) => {
        let limiter = limiters.get(key);
        if (limiter === undefined) {
          limiter = new NpmLimiter({ tokensPerInterval: 600, interval: "minute" });
          limiters.set(key, limiter);
        }
        return limiter.tryRemoveTokens(1);
      };
    }
    case "rate-limiter-flexible": {
      const limiter = new RateLimiterMemory({ points: 600, duration: 600 });
      return (key) => limiter.consume(key, 1);
    }
  }
}

/** Resident bytes without what the heap has in store, and what the heap uses. */
function look(used: () => number): { kept: number; used: number } {
  const { rss, heapTotal } = process.memoryUsage();
  const inUse = used();
  return { kept: rss - Math.max(0, heapTotal - inUse), used: inUse };
}

function heapUsed(): number {
  return process.memoryUsage().heapUsed;
}

/** Not for the first look: V8 would give the room back that its garbage takes up again. */
function heapUsedWithoutGarbage(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("the runtime must be started with its flag for gc()");
  gc();
  return heapUsed();
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { name: { type: "string" }, keys: { type: "string" } },
  });
  const keys = Number(values.keys);
  using few = new RateLimiter({
    name: "keeps none",
    // Back at once, so that every key is idle and its place can be given away.
    limits: { rpm: rate({ limit: 1e6, per: "second" }) },
    maxKeys: 1024,
  });
  for (let pass = 0, last = 0; pass < 10; pass++) {
    for (let i = 0; i < keys; i++) few.take(`warm-${i}`);
    const { rss } = process.memoryUsage();
    if (rss - last < 2 ** 20) break;
    last = rss;
  }
  const use = open(values.name as Holder);
  await use("first");
  await sleep(100);
  const before = look(heapUsed);
  for (let i = 0; i < keys; i++) await use(`tenant-${i}`);
  await sleep(100);
  const after = look(heapUsedWithoutGarbage);
  const bytes = Math.max(after.kept - before.kept, after.used - before.used) / keys;
  console.log(JSON.stringify({ bytes, holds: await use("first") !== undefined }));
  process.exit(0);
}
