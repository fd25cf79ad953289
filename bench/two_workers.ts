/**
 * Two Workers that contend for one limiter or one pool, with atomics in shared memory as the floor.
 *
 * @module
 */
import { AtomicsGcra, type Bucket, OPEN, openLimiter, SHUT } from "./gcra.ts";
import { median, rounded, type Spread, spread } from "./measure.ts";
import { expect, progress } from "./program.ts";

/** Whether calls are admitted or denied. */
export type Outcome = "admitted" | "denied";

/** All outcomes. */
export const OUTCOMES: readonly Outcome[] = ["admitted", "denied"];

/** The order of a Worker. */
export interface Order {
  /** What the Workers share: sluice, or memory with atomics. */
  readonly sharing: string;
  /** The name of the limiter or pool. */
  readonly name: string;
  readonly ms: number;
  readonly memory: SharedArrayBuffer;
  /** The limit of a limiter; of a pool there is none. */
  readonly bucket?: Bucket;
  /** The key of a limiter that this Worker checks. */
  readonly key?: number;
  /** The origin of time for all Workers, in milliseconds since 1970. */
  readonly origin?: number;
  /** Whether a lease is held for a turn of the event loop, as for a request. */
  readonly holds?: boolean;
}

/** What a Worker did. */
export interface Contended {
  readonly operations: number;
  readonly admitted: number;
  /** The waits for a lease, in nanoseconds. */
  readonly waits: Float64Array;
}

/** Permits of the pool. */
export const SLOTS = 4;
/** Indices of the shared words of a pool's contest: permits, and leases in use now and at most. */
export const FREE = 0;
export const IN_USE = 1;
export const MOST_IN_USE = 2;

const SHARINGS = ["sluice", "SharedArrayBuffer + Atomics"];

/** Runs a Worker with each order, all at the same time. Returns the time of an operation as well. */
async function contend(orders: readonly Order[]) {
  const workers = orders.map(() =>
    new Worker(new URL("two_workers_child.ts", import.meta.url), { type: "module" })
  );
  const ask = <R>(worker: Worker, message: unknown) =>
    new Promise<R>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<R>) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(message);
    });
  await Promise.all(workers.map((worker, i) => ask(worker, orders[i])));
  const all = await Promise.all(workers.map((worker) => ask<Contended>(worker, "go")));
  for (const worker of workers) worker.terminate();
  const operations = all.reduce((sum, one) => sum + one.operations, 0);
  const admitted = all.reduce((sum, one) => sum + one.admitted, 0);
  const waits = Float64Array.from(all.flatMap(({ waits }) => [...waits])).sort();
  return { operations, admitted, waits, ns: orders[0]!.ms * 1e6 / operations };
}

/** The time of a check over both Workers, of one hot key or of a key each. */
export async function raceOfLimiters(
  brief: boolean,
): Promise<(Spread & { name: string; isHot: boolean; outcome: Outcome })[]> {
  const runs = OUTCOMES.flatMap((outcome) =>
    [true, false].flatMap((isHot) =>
      SHARINGS.map((name) => ({ name, isHot, outcome, ns: [] as number[] }))
    )
  );
  for (let round = 0; round < (brief ? 1 : 7); round++) {
    progress(`two Workers, limiter, round ${round + 1}`);
    for (const { name: sharing, isHot, outcome, ns } of runs) {
      const bucket = outcome === "admitted" ? OPEN : SHUT;
      // Open here as well, so that its state outlives the Workers.
      using limiter = openLimiter(bucket);
      const order = {
        sharing,
        name: limiter.name,
        ms: brief ? 20 : 500,
        memory: new SharedArrayBuffer(4 * AtomicsGcra.STRIDE * 2),
        bucket,
        origin: performance.timeOrigin + performance.now(),
      };
      const result = await contend([0, isHot ? 0 : 1].map((key) => ({ ...order, key })));
      const wanted = outcome === "admitted" ? result.operations : isHot ? 1 : 2;
      expect(result.admitted === wanted, `${sharing} admits ${wanted}, but ${result.admitted}`);
      ns.push(result.ns);
    }
  }
  return runs.map(({ ns, ...run }) => ({ ...run, ...spread(ns) }));
}

/** Nanoseconds of a lease, and the waits that a half, 99 % and all of them did not exceed. */
export type PoolContest = Spread & {
  readonly name: string;
  readonly holds: boolean;
  readonly wait50: number;
  readonly wait99: number;
  readonly longest: number;
};

/** The time of a lease over both Workers, of eight tasks each, and their waits. */
export async function raceOfPools(brief: boolean): Promise<PoolContest[]> {
  const runs = [false, true].flatMap((holds) =>
    SHARINGS.map((name) => ({ name, holds, rounds: [] as { ns: number; waits: Float64Array }[] }))
  );
  for (let round = 0; round < (brief ? 1 : 5); round++) {
    progress(`two Workers, pool, round ${round + 1}`);
    for (const { name: sharing, holds, rounds } of runs) {
      const memory = new SharedArrayBuffer(12);
      new Int32Array(memory)[FREE] = SLOTS;
      const name = `two Workers ${round} ${holds}`;
      const order = { sharing, name, ms: brief ? 50 : 2000, memory, holds };
      rounds.push(await contend([order, order]));
      const most = new Int32Array(memory)[MOST_IN_USE]!;
      expect(most <= SLOTS, `${sharing} grants at most ${SLOTS}, but ${most}`);
    }
  }
  return runs.map(({ name, holds, rounds }) => {
    const wait = (share: number) =>
      rounded(
        median(rounds.map(({ waits }) =>
          waits[Math.min(waits.length - 1, Math.floor(share * waits.length))]!
        )),
      );
    const waits = { wait50: wait(0.5), wait99: wait(0.99), longest: wait(1) };
    return { name, holds, ...spread(rounds.map(({ ns }) => ns)), ...waits };
  });
}
