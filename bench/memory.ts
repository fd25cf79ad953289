/**
 * Resident memory of a key, a lease or a waiter, each kind in a process of its own: `--name NAME --count N` prints the
 * bytes of one.
 *
 * For a limiter as many names first go through a limiter that keeps none, so that the process has grown. Free memory of
 * the heap is subtracted at both looks, and garbage is collected before the second one. For a pool the resident set is compared.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createPool } from "generic-pool";
import { RateLimiter as NpmLimiter } from "limiter";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { concurrency, quota, rate, RateLimiter, UpstreamPool } from "../mod.ts";
import { MapGcra, OPEN } from "./gcra.ts";
import { type Spread, spread } from "./measure.ts";
import { progress } from "./program.ts";
import { runSelf } from "./runtimes.ts";

/** Uses the key with this number, or acquires. */
type Use = (i: number) => unknown;

/** No limit of keys or queue is reached. */
const MAX_KEYS = 2_000_000;
const MAX_WAITING = 131_072;
const TIMEOUT_MS = 600_000;
const rpm = rate({ limit: 600, per: "minute" });

/** The limiters whose keys are measured. */
export const LIMITER_HOLDERS: Readonly<Record<string, () => Use>> = {
  "sluice, one limit"() {
    const limiter = new RateLimiter({ name: "one", limits: { rpm }, maxKeys: MAX_KEYS });
    return (i) => limiter.take(`tenant-${i}`);
  },
  "sluice, four limits"() {
    const limits = {
      rpm,
      tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }),
      day: quota({ unit: "tokens", limit: 2_000_000, per: "day" }),
      live: concurrency({ limit: 8 }),
    };
    const limiter = new RateLimiter({ name: "four", limits, maxKeys: MAX_KEYS });
    return (i) => limiter.take(`tenant-${i}`, { tokens: 1200, concurrent: 0 });
  },
  "Map"() {
    const gcra = new MapGcra(OPEN);
    return (i) => gcra.take(`tenant-${i}`, 1, performance.now());
  },
  "npm limiter"() {
    const limiters = new Map<string, NpmLimiter>();
    return (i) => {
      const limiter = new NpmLimiter({ tokensPerInterval: 600, interval: "minute" });
      limiters.set(`tenant-${i}`, limiter);
      return limiter.tryRemoveTokens(1);
    };
  },
  "rate-limiter-flexible"() {
    const limiter = new RateLimiterMemory({ points: 600, duration: 600 });
    return (i) => limiter.consume(`tenant-${i}`, 1);
  },
};

const kept: unknown[] = [];

/** Acquires leases that are held, or waits for the only one. */
function acquirer(open: (max: number) => { acquire(): unknown }, isHeld: boolean): () => Use {
  return () => {
    const pool = open(isHeld ? MAX_WAITING : 1);
    if (isHeld) return async () => void kept.push(await pool.acquire());
    kept.push(pool.acquire());
    return () => void kept.push(pool.acquire());
  };
}

function sluicePool(maxInFlight: number): UpstreamPool {
  const queue = { max: MAX_WAITING, timeoutMs: TIMEOUT_MS };
  return new UpstreamPool({ name: "memory", upstreams: [{ id: "only", maxInFlight }], queue });
}

function genericPool(max: number) {
  const factory = { create: () => Promise.resolve({}), destroy: () => Promise.resolve() };
  return createPool(factory, { max, acquireTimeoutMillis: TIMEOUT_MS });
}

/** The pools whose leases and waiters are measured. */
export const POOL_HOLDERS: Readonly<Record<string, () => Use>> = {
  "lease, sluice": acquirer(sluicePool, true),
  "lease, generic-pool": acquirer(genericPool, true),
  "waiter, sluice": acquirer(sluicePool, false),
  "waiter, generic-pool": acquirer(genericPool, false),
};

/** The bytes of one of `count`, for each holder. */
export async function memoryOf(
  holders: Readonly<Record<string, unknown>>,
  count: number,
  brief: boolean,
): Promise<(Spread & { readonly name: string })[]> {
  const cells = [];
  for (const name of Object.keys(holders)) {
    const bytes: number[] = [];
    for (let round = 0; round < (brief ? 1 : 3); round++) {
      progress(`memory, round ${round + 1}, ${name}`);
      bytes.push(Number(await runSelf("memory.ts", ["--name", name, "--count", `${count}`], true)));
    }
    cells.push({ name, ...spread(bytes) });
  }
  return cells;
}

/** Resident bytes, of a limiter without the free memory of the heap, and the used bytes of the heap. */
function look(isPool: boolean, collects: boolean): { resident: number; used: number } {
  if (isPool) return { resident: process.memoryUsage().rss, used: 0 };
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  // Not before the first look: V8 would release the memory that its garbage occupies again.
  if (collects) (globalThis as unknown as { gc(): void }).gc();
  const used = collects ? process.memoryUsage().heapUsed : heapUsed;
  return { resident: rss - Math.max(0, heapTotal - used), used };
}

/** Lets names pass through a limiter that keeps none, until the process does not grow any more. */
function warmUp(count: number): void {
  const limits = { rpm: rate({ limit: 1e6, per: "second" }) };
  using few = new RateLimiter({ name: "keeps none", limits, maxKeys: 1024 });
  for (let pass = 0, last = 0; pass < 10; pass++) {
    for (let i = 0; i < count; i++) few.take(`warm-${i}`);
    const { rss } = process.memoryUsage();
    if (rss - last < 2 ** 20) break;
    last = rss;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { name: { type: "string" }, count: { type: "string" } },
  });
  const name = values.name!;
  const count = Number(values.count);
  const isPool = name in POOL_HOLDERS;
  if (!isPool) warmUp(count);
  const use = { ...LIMITER_HOLDERS, ...POOL_HOLDERS }[name]!();
  await use(-1);
  await sleep(100);
  const before = look(isPool, false);
  for (let i = 0; i < count; i++) await use(i);
  await sleep(100);
  const after = look(isPool, true);
  console.log(Math.max(after.resident - before.resident, after.used - before.used) / count);
  process.exit(0);
}
