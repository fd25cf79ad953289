/**
 * Rate limits: a check beside the same in plain JavaScript and in npm packages, many keys, batches, six limits at once,
 * two Workers, and memory.
 *
 * @module
 */
import process from "node:process";
import { RateLimiter as NpmLimiter } from "limiter";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { RateLimiter, takeAll } from "../mod.ts";
import { native } from "../src/ffi/load.ts";
import { AtomicsGcra, type Bucket, limitOf, MapGcra, OPEN, openLimiter, SHUT } from "./gcra.ts";
import type { Spread } from "./measure.ts";
import { LIMITER_HOLDERS, memoryOf } from "./memory.ts";
import { clockGettime, COARSE, PRECISE } from "./monotonic.ts";
import { expect, program } from "./program.ts";
import { type Contender, race } from "./race.ts";
import { type Outcome, OUTCOMES, raceOfLimiters } from "./two_workers.ts";

/** Nanoseconds of a check, or bytes of a key. */
interface LimiterCell extends Spread, Identity {}

interface Identity {
  readonly part: "floor" | "check" | "many" | "batch" | "six" | "contest" | "memory";
  readonly name?: string;
  readonly outcome?: Outcome;
  /** Keys in turn. */
  readonly keys?: number;
  /** Keys in a batch. */
  readonly size?: number;
  /** Whether both Workers check one key. */
  readonly isHot?: boolean;
}

const KEY = "tenant-42";
/** A cached clock is read once in this many checks. */
const CHECKS_PER_CLOCK = 1024;
const BATCHED_KEYS = 512;
/** Fewer than sluice keeps by name, and more than the first cache holds. */
const NAMED_KEYS = 5120;
const BATCHES = [1, 8, 64, 512];

/** The ways to check one limit of one key. Each returns whether it was admitted. */
function checks(bucket: Bucket): Record<string, () => unknown> {
  const { intervalMs, burst } = bucket;
  const [precise, coarse] = [openLimiter(bucket), openLimiter(bucket, "coarse")];
  const [key, coarseKey] = [precise.key(KEY), coarse.key(KEY)];
  const cost = { requests: 1 };
  const [map, cachedMap] = [new MapGcra(bucket), new MapGcra(bucket)];
  const shared = new AtomicsGcra(new SharedArrayBuffer(4), bucket);
  const cachedShared = new AtomicsGcra(new SharedArrayBuffer(4), bucket);
  // The package has no keys; its users keep a Map of limiters.
  const limiters = new Map([[
    KEY,
    new NpmLimiter({ tokensPerInterval: burst, interval: intervalMs * burst }),
  ]]);
  const flexible = new RateLimiterMemory({ points: burst, duration: intervalMs * burst / 1000 });
  const origin = performance.now();
  const microseconds = () => (performance.now() - origin) * 1000 | 0;
  const [clock, sharedClock] = [cached(() => performance.now()), cached(microseconds)];
  return {
    "sluice, by key": () => precise.take(key).allowed,
    "sluice, by string": () => precise.take(KEY).allowed,
    "sluice, coarse clock": () => coarse.take(coarseKey).allowed,
    "sluice, reserve and settle": () => {
      const call = precise.reserve(key, cost);
      if (call.allowed) call.settle(cost);
      return call.allowed;
    },
    "Map, own clock": () => map.take(KEY, 1, performance.now()) === 0,
    "Map, cached clock": () => cachedMap.take(KEY, 1, clock()) === 0,
    "SharedArrayBuffer + Atomics, own clock": () => shared.take(0, microseconds()) === 0,
    "SharedArrayBuffer + Atomics, cached clock": () => cachedShared.take(0, sharedClock()) === 0,
    "npm limiter": () => limiters.get(KEY)!.tryRemoveTokens(1),
    // It throws a refusal.
    "rate-limiter-flexible": () => flexible.consume(KEY, 1).then(() => true, () => false),
  };
}

/** A clock that is read once in {@linkcode CHECKS_PER_CLOCK} calls. */
function cached(read: () => number): () => number {
  let now = read();
  let checks = 0;
  return () => {
    if (++checks % CHECKS_PER_CLOCK === 0) now = read();
    return now;
  };
}

/** The costs that a check consists of. A clock costs what it adds to a crossing with a buffer. */
function floors(): Record<string, () => unknown> {
  const { sluice_library_abi_hash, sluice_library_version } = native();
  const buffer = new Uint8Array(new ArrayBuffer(16));
  const common = {
    "empty crossing": () => sluice_library_abi_hash(),
    "crossing with a buffer": () => sluice_library_version(buffer, 0),
    "performance.now()": () => performance.now(),
  };
  if (process.platform !== "linux") return common;
  const clock_gettime = clockGettime();
  return {
    ...common,
    "crossing that reads CLOCK_MONOTONIC": () => clock_gettime(PRECISE, buffer),
    "crossing that reads CLOCK_MONOTONIC_COARSE": () => clock_gettime(COARSE, buffer),
  };
}

/** The ways to check many keys in turn. */
function many(bucket: Bucket, count: number): Record<string, () => unknown> {
  const names = Array.from({ length: count }, (_, i) => `tenant-${i}`);
  const [limiter, map] = [openLimiter(bucket), new MapGcra(bucket)];
  const keys = names.map((name) => limiter.key(name));
  const next = (at: number) => at + 1 === count ? 0 : at + 1;
  let [a, b, c] = [0, 0, 0];
  return {
    "sluice, by key": () => limiter.take(keys[a = next(a)]!).allowed,
    "sluice, by string": () => limiter.take(names[b = next(b)]!).allowed,
    "Map, own clock": () => map.take(names[c = next(c)]!, 1, performance.now()) === 0,
  };
}

function batch(bucket: Bucket, size: number): () => number {
  const limiter = openLimiter(bucket);
  const batches = Array.from({ length: BATCHED_KEYS / size }, (_, i) => {
    const ids = Array.from({ length: size }, (_, j) => limiter.key(`tenant-${i * size + j}`).id);
    return Float64Array.from(ids);
  });
  const codes = new Float64Array(new ArrayBuffer(8 * size));
  let at = 0;
  return () => limiter.raw.takeBatch(batches[at = (at + 1) % batches.length]!, undefined, codes);
}

/** Requests and tokens of a key, a user and a team in one decision. Only the last limit refuses. */
function six(outcome: Outcome): Record<string, () => unknown> {
  const cost = { requests: 1, tokens: 1200 };
  // Tokens are restored so much faster that both limits last equally long.
  const tokens = { intervalMs: OPEN.intervalMs / 1000, burst: 1e12 };
  const last = outcome === "admitted" ? tokens : { ...SHUT, burst: cost.tokens };
  const who = ["key-7", "user-42", "team-3"];
  const buckets = who.flatMap((key, i) => [
    { key, unit: "requests" as const, bucket: OPEN },
    { key, unit: "tokens" as const, bucket: i === 2 ? last : tokens },
  ]);
  const parts = buckets.map(({ key, unit, bucket }) => {
    const limits = { [unit]: limitOf(unit, bucket) };
    const limiter = new RateLimiter({ name: `six: ${outcome}, ${key}, ${unit}`, limits });
    return { limiter, key: limiter.key(key) };
  });
  const one = new RateLimiter({
    name: `six of a key: ${outcome}`,
    limits: Object.fromEntries(
      buckets.map(({ key, unit, bucket }) => [`${key} ${unit}`, limitOf(unit, bucket)]),
    ),
  });
  const key = one.key("key-7");
  const maps = buckets.map(({ key, unit, bucket }) => ({
    key,
    cost: cost[unit],
    map: new MapGcra(bucket),
  }));
  return {
    "sluice, takeAll over six limiters": () => takeAll(parts, cost).allowed,
    "sluice, take of one key with six limits": () => one.take(key, cost).allowed,
    "six Map checks, one clock, all checked and then all charged": () => {
      const now = performance.now();
      for (const { key, cost, map } of maps) if (map.peek(key, cost, now) > 0) return false;
      for (const { key, cost, map } of maps) map.charge(key, cost, now);
      return true;
    },
  };
}

/** Times the contenders, which must all admit everything, or nothing after their first pass over the keys. */
async function timed(
  identity: Identity,
  ways: Record<string, () => unknown>,
  brief: boolean,
): Promise<LimiterCell[]> {
  const wanted = identity.outcome === "admitted";
  for (const [name, call] of Object.entries(ways)) {
    for (let i = 0; i < (identity.keys ?? 1); i++) await call();
    const isRight = identity.outcome === undefined || await call() === wanted;
    expect(isRight, `${identity.part}, ${name}: ${identity.outcome}`);
  }
  const contenders = Object.entries(ways).map(([name, call]): Contender<Identity> => ({
    cell: { ...identity, name },
    call,
  }));
  return await race(`limiter: ${identity.part}, ${identity.outcome ?? ""}`, contenders, brief);
}

async function run(brief: boolean): Promise<LimiterCell[]> {
  const cells = await timed({ part: "floor" }, floors(), brief);
  for (const outcome of OUTCOMES) {
    const bucket = outcome === "admitted" ? OPEN : SHUT;
    cells.push(...await timed({ part: "check", outcome }, checks(bucket), brief));
    for (const keys of [BATCHED_KEYS, NAMED_KEYS]) {
      cells.push(...await timed({ part: "many", outcome, keys }, many(bucket, keys), brief));
    }
    const batches = BATCHES.map((size): Contender<Identity> => {
      const call = batch(bucket, size);
      for (let i = 0; i < BATCHED_KEYS; i += size) call();
      expect(call() === (outcome === "admitted" ? size : 0), `batches of ${size}: ${outcome}`);
      return { cell: { part: "batch", size, outcome }, call, operations: size };
    });
    cells.push(...await race(`limiter: batches, ${outcome}`, batches, brief));
    cells.push(...await timed({ part: "six", outcome }, six(outcome), brief));
  }
  const contests = await raceOfLimiters(brief);
  cells.push(...contests.map((cell) => ({ part: "contest" as const, ...cell })));
  const memory = await memoryOf(LIMITER_HOLDERS, brief ? 1000 : 1_000_000, brief);
  cells.push(...memory.map((cell) => ({ part: "memory" as const, ...cell })));
  return cells;
}

if (import.meta.main) await program({ name: "limiter", run });
