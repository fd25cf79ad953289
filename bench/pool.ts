/**
 * Leases: acquire and release beside generic-pool and plain JavaScript, hand-over with many waiting, the choice among many
 * upstreams, two Workers, and memory.
 *
 * @module
 */
import { createPool } from "generic-pool";
import { UpstreamPool } from "../mod.ts";
import type { Spread } from "./measure.ts";
import { memoryOf, POOL_HOLDERS } from "./memory.ts";
import { program } from "./program.ts";
import { race } from "./race.ts";
import { raceOfPools } from "./two_workers.ts";

/** Nanoseconds of a lease, or bytes. */
interface PoolCell extends Spread {
  readonly part: "pair" | "line" | "choice" | "contest" | "memory";
  readonly name: string;
  /** How many wait. */
  readonly waiters?: number;
  /** How many upstreams there are to choose from. */
  readonly upstreams?: number;
  /** Whether leases are held for a turn of the event loop. */
  readonly holds?: boolean;
}

const TIMEOUT_MS = 120_000;
const SLOTS = 100;
const BATCH = 64;
const WAITERS = [1, 10, 100, 1000, 10_000];
const UPSTREAMS = [1, 3, 10, 30, 100, 300, 1000];

let opened = 0;

function sluice(maxInFlight: number): UpstreamPool {
  return new UpstreamPool({
    name: `bench ${opened++}`,
    upstreams: [{ id: "only", maxInFlight }],
    queue: { max: 131_072, timeoutMs: TIMEOUT_MS },
  });
}

function genericPool(max: number) {
  const factory = { create: () => Promise.resolve({}), destroy: () => Promise.resolve() };
  return createPool<object>(factory, { max, acquireTimeoutMillis: TIMEOUT_MS });
}

/** Acquire and release without contention. */
async function pairs(brief: boolean): Promise<PoolCell[]> {
  const [pool, generic] = [sluice(SLOTS), genericPool(SLOTS)];
  const free = new Int32Array(new SharedArrayBuffer(4));
  free[0] = SLOTS;
  const calls: Record<string, () => unknown> = {
    "sluice, tryAcquire": () => pool.tryAcquire()!.release(),
    "sluice, acquire": async () => (await pool.acquire()).release(),
    "sluice, batches of 64": () => pool.releaseBatch(pool.acquireBatch(BATCH)),
    "generic-pool": async () => generic.release(await generic.acquire()),
    "SharedArrayBuffer + Atomics": () => {
      for (;;) {
        const seen = Atomics.load(free, 0);
        if (seen > 0 && Atomics.compareExchange(free, 0, seen, seen - 1) === seen) break;
      }
      return Atomics.add(free, 0, 1);
    },
  };
  const contenders = Object.entries(calls).map(([name, call]) => ({
    cell: { part: "pair" as const, name },
    call,
    operations: name.includes("batches") ? BATCH : 1,
  }));
  return await race("pool: pairs", contenders, brief);
}

/** A release that hands over to the first of `waiters`, which then queues again. */
async function lines(brief: boolean): Promise<PoolCell[]> {
  const cells: PoolCell[] = [];
  for (const waiters of brief ? [10] : WAITERS) {
    const [pool, generic] = [sluice(1), genericPool(1)];
    const contenders = await Promise.all([
      handOver("sluice", waiters, () => pool.acquire(), (lease) => lease.release()),
      handOver("generic-pool", waiters, () => generic.acquire(), (one) => generic.release(one)),
    ]);
    cells.push(...await race(`pool: ${waiters} waiting`, contenders, brief));
  }
  return cells;
}

async function handOver<L>(
  name: string,
  waiters: number,
  acquire: () => PromiseLike<L>,
  release: (lease: L) => unknown,
) {
  let held = await acquire();
  const line = Array.from({ length: waiters }, acquire);
  let head = 0;
  const call = async () => {
    await release(held);
    held = await line[head]!;
    line[head] = acquire();
    head = head + 1 === waiters ? 0 : head + 1;
  };
  return { cell: { part: "line" as const, name, waiters }, call };
}

/** The choice of the least loaded of many upstreams, of which half of the slots are in use. */
async function choices(brief: boolean): Promise<PoolCell[]> {
  const cells: PoolCell[] = [];
  for (const upstreams of brief ? [100] : UPSTREAMS) {
    const ids = Array.from({ length: upstreams }, (_, i) => `u${i}`);
    using pool = new UpstreamPool({
      name: `choice of ${upstreams}`,
      upstreams: ids.map((id) => ({ id, maxInFlight: 16 })),
    });
    pool.acquireBatch(8 * upstreams - 4);
    const all = ids.map(() => ({ inFlight: 0, maxInFlight: 16, weight: 1 }));
    for (let i = 0; i < 8 * upstreams - 4; i++) leastLoaded(all)!.inFlight++;
    const contenders = [
      { cell: { name: "sluice" }, call: () => pool.tryAcquire()!.release() },
      {
        cell: { name: "loop over an array" },
        call: () => {
          const one = leastLoaded(all)!;
          one.inFlight++;
          return one.inFlight--;
        },
      },
    ];
    const times = await race(`pool: ${upstreams} upstreams`, contenders, brief);
    cells.push(...times.map((cell) => ({ part: "choice" as const, upstreams, ...cell })));
  }
  return cells;
}

/** The floor: a loop over the upstreams, within one Worker. */
function leastLoaded<U extends { inFlight: number; maxInFlight: number; weight: number }>(
  upstreams: readonly U[],
): U | undefined {
  let best: U | undefined;
  let least = Infinity;
  for (const upstream of upstreams) {
    if (upstream.inFlight >= upstream.maxInFlight) continue;
    const load = upstream.inFlight / upstream.weight;
    if (load < least) [best, least] = [upstream, load];
  }
  return best;
}

async function run(brief: boolean): Promise<PoolCell[]> {
  const contests = await raceOfPools(brief);
  const memory = await memoryOf(POOL_HOLDERS, brief ? 100 : 100_000, brief);
  return [
    ...await pairs(brief),
    ...await lines(brief),
    ...await choices(brief),
    ...contests.map((cell) => ({ part: "contest" as const, ...cell })),
    ...memory.map((cell) => ({ part: "memory" as const, ...cell })),
  ];
}

if (import.meta.main) await program({ name: "pool", run });
