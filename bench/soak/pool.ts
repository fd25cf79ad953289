/**
 * A soak of the pool: four Workers acquire, hold, fail, forget, abort and time out at random, and
 * are killed at random, while what must hold is checked all the time. At the end everything has to
 * be back.
 *
 *     bun bench/soak/pool.ts --minutes 10
 *     deno run -A bench/soak/pool.ts --minutes 10
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type PoolOptions, type PoolStats, UpstreamPool } from "../../mod.ts";
import { runtimeVersion } from "../machine.ts";
import { FAULTS, Tally } from "./pool_tally.ts";
import type { SoakOrder } from "./pool_worker.ts";

const WORKERS = 4;
const TASKS = 32;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { minutes: { type: "string", default: "10" } },
});
const milliseconds = Number(values.minutes) * 60_000;

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
const broken = new Map<string, number>();
const workers: Worker[] = [];
let row = 0;

function start(place: number): void {
  row++;
  tally.inUse.begin(place, row);
  const url = new URL("pool_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  worker.onerror = ({ message }) => void wrong(`a Worker failed: ${message}`);
  worker.postMessage(
    {
      pool: options,
      workers: WORKERS,
      row,
      tasks: TASKS,
      shared: tally.shared,
    } satisfies SoakOrder,
  );
  workers[place] = worker;
}

function kill(place: number): void {
  // It no longer counts, whatever it still does: only then is it killed.
  tally.inUse.end(place);
  workers[place]?.terminate();
}

function wrong(what: string): void {
  broken.set(what, (broken.get(what) ?? 0) + 1);
}

/** What must hold of the pool's own counts, at every moment. */
function check({ inFlight, maxInFlight, waiting, upstreams }: PoolStats): void {
  if (inFlight > maxInFlight) wrong("more in flight than over all upstreams may be");
  for (const upstream of upstreams) {
    if (upstream.inFlight > upstream.maxInFlight) wrong("more in flight than an upstream may have");
  }
  const sum = upstreams.reduce((sum, { inFlight }) => sum + inFlight, 0);
  if (sum !== inFlight) wrong("the upstreams do not add up to the whole");
  if (waiting > options.queue!.max!) wrong("more in line than it may hold");
}

for (let place = 0; place < WORKERS; place++) start(place);
const end = performance.now() + milliseconds;
let kills = 0;
let checks = 0;
let nextKill = performance.now() + 500;
let rssEarly: number | undefined;
let most = 0;
let lastGranted = 0;
let lastProgress = performance.now();
while (performance.now() < end) {
  const stats = pool.stats();
  check(stats);
  most = Math.max(most, stats.waiting);
  checks++;
  const now = performance.now();
  if (stats.granted > lastGranted) [lastGranted, lastProgress] = [stats.granted, now];
  else if (now - lastProgress > 3000) {
    wrong("nobody was granted anything for three seconds");
    lastProgress = now;
  }
  if (now > nextKill) {
    const place = Math.floor(Math.random() * WORKERS);
    kill(place);
    start(place);
    kills++;
    nextKill = now + 200 + Math.random() * 600;
  }
  // A tenth of the time is for warming up.
  if (rssEarly === undefined && end - now < 0.9 * milliseconds) {
    rssEarly = process.memoryUsage().rss;
  }
  await sleep(2);
}
const rssLate = process.memoryUsage().rss;

for (let place = 0; place < WORKERS; place++) kill(place);
const settled = performance.now() + 10_000;
let back = pool.stats();
while ((back.inFlight > 0 || back.waiting > 0) && performance.now() < settled) {
  await sleep(10);
  back = pool.stats();
}
if (back.inFlight > 0) wrong(`${back.inFlight} leases did not come back`);
if (back.waiting > 0) wrong(`${back.waiting} places in line were not given up`);
for (const fault of FAULTS) {
  if (tally.get(fault) > 0) broken.set(`counted by Workers: ${fault}`, tally.get(fault));
}

const number = (value: number) => value.toLocaleString("en");
const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
console.log(`pool soak, ${runtimeVersion()}, ${values.minutes} minutes, ${WORKERS} Workers`);
console.log(
  `  ${number(back.granted)} leases, ${
    number(back.handedOver)
  } of them handed over; longest wait ` +
    `${number(tally.longestWaitMs)} ms, longest line ${most}`,
);
console.log(
  `  ${number(tally.get("timedOut"))} timed out, ${number(tally.get("aborted"))} aborted, ` +
    `${number(tally.get("refused"))} refused, ${number(tally.get("doubled"))} given back twice`,
);
console.log(
  `  ${number(tally.get("forgotten"))} forgotten, ${number(back.expired)} expired, ` +
    `${number(back.ejections)} ejections`,
);
console.log(`  ${kills} Workers killed, ${number(back.reaped)} leases and places reaped`);
console.log(
  `  ${number(checks)} checks; resident ${megabytes(rssEarly ?? rssLate)} to ` +
    megabytes(rssLate),
);
console.log(`  left: ${back.inFlight} leases, ${back.waiting} waiting`);
for (const [what, times] of broken) console.log(`  BROKEN ${times} times: ${what}`);
console.log(broken.size === 0 ? "  everything held" : "  NOT everything held");
process.exit(broken.size === 0 ? 0 : 1);
