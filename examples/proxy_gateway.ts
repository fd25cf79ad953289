/**
 * A gateway of four Workers in front of three unreliable upstreams, under load: clients disconnect, Workers are
 * killed, and one upstream has an outage. At the end it reports whether the pool kept its promises.
 *
 *     bun examples/proxy_gateway.ts [--seconds 60]
 *     deno run -A examples/proxy_gateway.ts [--seconds 60]
 *     node examples/proxy_gateway.ts [--seconds 60]
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { type PoolOptions, UpstreamPool } from "../mod.ts";
import { giveUp, InFlight } from "./proxy_gateway/in_flight.ts";
import { Upstream } from "./proxy_gateway/upstream.ts";
import type { News, Order } from "./proxy_gateway/worker.ts";

const WORKERS = 4;
const CLIENTS = 48;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { seconds: { type: "string", default: "60" } },
});
const seconds = Number(values.seconds);

const overAll = new InFlight(16);
const upstreams = [
  await Upstream.start("key-a", 8, overAll),
  await Upstream.start("key-b", 8, overAll),
  await Upstream.start("key-c", 4, overAll),
];
const options: PoolOptions = {
  name: "gateway",
  upstreams: upstreams.map(({ id, inFlight: { max } }) => ({ id, maxInFlight: max, weight: max })),
  maxInFlight: overAll.max,
  queue: { max: 500, timeoutMs: 10_000 },
  // The rest doubles with every probe that fails, so short runs need a short one. One of three may
  // be ejected at a time (`maxEjected` is 0.5); upstreams that ask for rest by Retry-After rest as well.
  health: { failures: 5, cooldownMs: Math.min(500, 10 * seconds) },
};
const order: Omit<Order, "number"> = {
  pool: options,
  origins: Object.fromEntries(upstreams.map(({ id, origin }) => [id, origin])),
};

// The main thread only watches, through the same pool.
const events: Record<string, number> = {};
let wasEjected = false;
let hasRecovered = false;
const pool = new UpstreamPool({
  ...options,
  onEvent({ type }) {
    events[type] = (events[type] ?? 0) + 1;
  },
});

interface Gateway {
  /** Whether it was killed, with all requests of its clients. */
  isKilled: boolean;
  readonly worker: Worker;
  readonly number: number;
  readonly origin: string;
}

let started = 0;

async function startWorker(): Promise<Gateway> {
  const url = new URL("proxy_gateway/worker.ts", import.meta.url);
  const worker = new Worker(url);
  const number = started++;
  const port = await new Promise<number>((resolve, reject) => {
    worker.on("message", (news: News) => {
      if ("port" in news) resolve(news.port);
      else giveUp(news.gaveUp);
    });
    worker.on("error", reject);
    worker.postMessage({ ...order, number } satisfies Order);
  });
  return { isKilled: false, worker, number, origin: `http://127.0.0.1:${port}` };
}

function kill(gateway: Gateway): void {
  const { worker, number } = gateway;
  gateway.isKilled = true;
  void worker.terminate();
  giveUp(`${number}`);
}

const gateways = await Promise.all(Array.from({ length: WORKERS }, startWorker));
const seen = { complete: 0, left: 0, killed: 0, failed: 0 };
const end = performance.now() + seconds * 1000;

/** Slower machines wait longer, so that key-a has time for one more probe. */
function isOver(): boolean {
  const now = performance.now();
  return now >= end && (hasRecovered || now >= end + 5000);
}

/** A client: sends a request, reads the answer, and one time in ten disconnects midway. */
async function client(): Promise<void> {
  while (!isOver()) {
    const gateway = gateways[Math.floor(Math.random() * gateways.length)]!;
    const leave = new AbortController();
    const isPatient = Math.random() < 0.9;
    if (!isPatient) setTimeout(() => leave.abort(), Math.random() * 80);
    try {
      const response = await fetch(`${gateway.origin}/v1/stream`, { signal: leave.signal });
      const text = await response.text();
      if (response.ok && text.endsWith("[DONE]\n\n")) seen.complete++;
      else seen.failed++;
    } catch {
      if (leave.signal.aborted) seen.left++;
      else if (gateway.isKilled) seen.killed++;
      else seen.failed++;
    }
    await sleep(Math.random() * 5);
  }
}

/** Starts an outage of one upstream and kills two Workers, at fractions of the whole time. */
async function trouble(): Promise<void> {
  const wait = (share: number) => sleep(seconds * 1000 * share);
  await wait(0.2);
  upstreams[0]!.isOut = true;
  await wait(0.2);
  await replace();
  await wait(0.1);
  upstreams[0]!.isOut = false;
  await wait(0.1);
  await replace();
}

async function replace(): Promise<void> {
  kill(gateways.shift()!);
  gateways.push(await startWorker());
}

/** Polls `stats` for the ejection and the recovery, as a dashboard would. */
async function watch(): Promise<void> {
  while (!isOver()) {
    const { state } = pool.stats().upstreams[0]!;
    if (upstreams[0]!.isOut) wasEjected ||= state === "ejected";
    else hasRecovered ||= wasEjected && state === "healthy";
    await sleep(20);
  }
}

await Promise.all([...Array.from({ length: CLIENTS }, client), trouble(), watch()]);

// One more Worker dies while it streams, and all its leases must return without help.
const [last] = gateways;
for (let i = 0; i < 8; i++) fetch(`${last!.origin}/v1/stream`).catch(() => {});
while (pool.stats().inFlight === 0) await sleep(1);
kill(last!);
const settled = performance.now() + 5000;
while (performance.now() < settled) {
  const { inFlight, waiting } = pool.stats();
  if (inFlight === 0 && waiting === 0) break;
  await sleep(20);
}
// Events are fetched every quarter of a second.
await sleep(300);

const stats = pool.stats();
console.log(
  `clients: ${seen.complete} complete, ${seen.left} left, ${seen.killed} cut off with their ` +
    `Worker, ${seen.failed} failed`,
);
for (const { id, served, failed, inFlight: { most, max, exceeded } } of upstreams) {
  const { state, granted } = stats.upstreams.find((upstream) => upstream.id === id)!;
  console.log(
    `${id}: ${served} requests of ${granted} leases, ${failed} failed; at most ${most} of ` +
      `${max} in flight by its own count, exceeded ${exceeded} times; now ${state}`,
  );
}
console.log(
  `all together: at most ${overAll.most} of ${overAll.max} in flight, exceeded ${overAll.exceeded} times`,
);
console.log(`events: ${Object.entries(events).map(([type, n]) => `${n} ${type}`).join(", ")}`);
console.log(
  `line: ${stats.handedOver} handed over, ${stats.timedOut} timed out, ${stats.refused} refused`,
);
console.log(`left: ${stats.inFlight} leases, ${stats.waiting} waiting`);

const promises: [string, boolean][] = [
  ["no upstream's cap was exceeded", upstreams.every(({ inFlight }) => inFlight.exceeded === 0)],
  ["nor that over all upstreams", overAll.exceeded === 0],
  ["the outage was seen: key-a was ejected", wasEjected],
  ["and it came back", hasRecovered],
  ["no lease is left, though three Workers were killed", stats.inFlight === 0],
  ["no caller waits", stats.waiting === 0],
  ["nearly all others who stayed were served", seen.complete > 10 * seen.failed],
];
for (const [promise, isKept] of promises) {
  console.log(`${isKept ? "kept  " : "BROKEN"}  ${promise}`);
}

for (const { worker } of gateways) void worker.terminate();
for (const upstream of upstreams) upstream.stop();
process.exit(promises.every(([, isKept]) => isKept) ? 0 : 1);
