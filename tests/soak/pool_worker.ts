/**
 * A Worker of the pool's soak: tasks that acquire, hold, fail, forget, abort and time out at random.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Lease, type PoolOptions, SluiceError, UpstreamPool } from "../../mod.ts";
import { Random } from "../../bench/random.ts";
import { type SharedTally, Tally } from "./pool_tally.ts";

/** The first message to a Worker. */
export interface SoakOrder {
  readonly pool: PoolOptions;
  readonly workers: number;
  readonly row: number;
  readonly tasks: number;
  readonly shared: SharedTally;
}

/** A wait may outlast its timeout by this much on a busy machine before it counts as stuck. */
const SLACK_MS = 2000;

interface Scope {
  onmessage: ((event: MessageEvent<SoakOrder>) => void) | null;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: { pool: options, workers, row, tasks, shared } }) => {
  const pool = new UpstreamPool(options);
  const tally = new Tally(workers, options.upstreams.length, shared);
  const indexes = new Map(options.upstreams.map(({ id }, i) => [id, i]));
  for (let task = 0; task < tasks; task++) void run(new Random(row * 1000 + task));

  async function run(random: Random): Promise<void> {
    for (;;) {
      const lease = await acquire(random);
      if (lease !== undefined) await use(lease, random);
      // Spreads the tasks after a refusal.
      else await sleep(random.integer(0, 5));
    }
  }

  async function acquire(random: Random): Promise<Lease | undefined> {
    if (random.next() < 0.1) return pool.tryAcquire() ?? undefined;
    const timeoutMs = random.pick([5, 20, 100, 1000]);
    const leave = new AbortController();
    const timer = random.next() < 0.2
      ? setTimeout(() => leave.abort(new Error("left")), random.integer(0, 30))
      : undefined;
    const start = performance.now();
    const stuck = setTimeout(() => tally.count("stuck"), timeoutMs + SLACK_MS);
    try {
      const lease = await pool.acquire({
        timeoutMs,
        priority: random.integer(0, 3),
        prefer: options.upstreams[random.integer(0, options.upstreams.length)]!.id,
        signal: leave.signal,
      });
      tally.waited(performance.now() - start);
      tally.count("granted");
      return lease;
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : undefined;
      if (leave.signal.aborted) tally.count("aborted");
      else if (code === "SLUICE_ACQUIRE_TIMEOUT") tally.count("timedOut");
      else if (code === "SLUICE_QUEUE_FULL") tally.count("refused");
      else tally.count("surprises");
      return undefined;
    } finally {
      clearTimeout(stuck);
      clearTimeout(timer);
    }
  }

  async function use(lease: Lease, random: Random): Promise<void> {
    const index = indexes.get(lease.upstream)!;
    if (tally.inUse.use(row, index, options.upstreams[index]!.maxInFlight)) tally.count("overCap");
    const kind = random.next();
    if (kind < 0.7) await sleep(random.integer(0, 6));
    tally.inUse.unuse(row, index);
    if (kind > 0.999) {
      // Its time to live ends it.
      tally.count("forgotten");
      return;
    }
    // Each upstream has an outage in turn, and the others fail at times.
    const isOut = Math.floor(Date.now() / 300) % (4 * options.upstreams.length) === index;
    const result = isOut || kind < 0.02
      ? lease.fail({
        status: random.pick([429, 500, 529]),
        retryAfterMs: random.pick([0, 0, 0, 20]),
      })
      : lease.release(kind < 0.1 ? "unknown" : "ok");
    if (result === "expired") tally.count("expired");
    else if (result !== "released") tally.count("surprises");
    if (kind < 0.05) {
      tally.count("doubled");
      if (lease.release() !== "already-released") tally.count("surprises");
    }
  }
};
