/**
 * The soak of the pool: Workers acquire, hold, fail, forget, abort and time out at random and are killed at random.
 * The invariants: no upstream and no pool exceeds its limit, the queue stays bounded, no wait outlasts its timeout, and
 * every lease comes back.
 *
 *     bun tests/soak/pool.ts --minutes 10
 *     deno run -A tests/soak/pool.ts --minutes 10
 *
 * @module
 */
import { type PoolOptions, UpstreamPool } from "../../mod.ts";
import { minutesArgument, number, Soak, until, WORKERS } from "./harness.ts";
import { FAULTS, Tally } from "./pool_tally.ts";
import type { SoakOrder } from "./pool_worker.ts";

const TASKS = 32;

const options: PoolOptions = {
  name: "soak",
  upstreams: [
    { id: "a", maxInFlight: 8, weight: 2 },
    { id: "b", maxInFlight: 4 },
    { id: "c", maxInFlight: 4 },
    { id: "spare", maxInFlight: 2, tier: 1 },
  ],
  maxInFlight: 14,
  queue: { max: 100, timeoutMs: 1000, agingMs: 50 },
  leaseTtlMs: 1000,
  health: { failures: 4, cooldownMs: 20 },
};
const pool = new UpstreamPool(options);
const tally = new Tally(WORKERS, options.upstreams.length);
let longestQueue = 0;
const soak = new Soak({
  name: "pool",
  worker: new URL("pool_worker.ts", import.meta.url),
  minutes: minutesArgument(),
  inUse: tally.inUse,
  order: (row): SoakOrder => ({
    pool: options,
    workers: WORKERS,
    row,
    tasks: TASKS,
    shared: tally.shared,
  }),
  check,
  progress: () => pool.stats().granted,
});

function check(): void {
  const { inFlight, maxInFlight, waiting, upstreams } = pool.stats();
  longestQueue = Math.max(longestQueue, waiting);
  if (inFlight > maxInFlight) soak.violated("the pool exceeds maxInFlight");
  for (const upstream of upstreams) {
    if (upstream.inFlight > upstream.maxInFlight) soak.violated("an upstream exceeds maxInFlight");
  }
  const sum = upstreams.reduce((sum, { inFlight }) => sum + inFlight, 0);
  if (sum !== inFlight) soak.violated("the upstreams do not add up to the pool");
  if (waiting > options.queue!.max!) soak.violated("the queue exceeds its maximum");
}

await soak.run();
await until(() => pool.stats().inFlight === 0 && pool.stats().waiting === 0, 10_000);
const stats = pool.stats();
if (stats.inFlight > 0) soak.violated(`${stats.inFlight} leases did not come back`);
if (stats.waiting > 0) soak.violated(`${stats.waiting} waiters are still queued`);
for (const fault of FAULTS) {
  if (tally.get(fault) > 0) soak.violated(`counted by Workers: ${fault}`, tally.get(fault));
}

const of = (what: Parameters<Tally["get"]>[0]) => number(tally.get(what));
soak.report([
  `${number(stats.granted)} leases, ${number(stats.handedOver)} of them handed over; longest ` +
  `wait ${number(tally.longestWaitMs)} ms, longest queue ${longestQueue}`,
  `${of("timedOut")} timed out, ${of("aborted")} aborted, ${of("refused")} refused, ` +
  `${of("doubled")} released twice`,
  `${of("forgotten")} forgotten, ${number(stats.expired)} expired, ` +
  `${number(stats.ejections)} ejections, ${number(stats.reaped)} reclaimed from dead Workers`,
  `left: ${stats.inFlight} leases, ${stats.waiting} waiting`,
]);
