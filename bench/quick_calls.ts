/**
 * Times calls of the limiter and the pool of a checkout in this process, and prints the nanoseconds of each as JSON.
 * Started by `quick.ts`.
 *
 * @module
 */
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { measure } from "mitata";

const NS_PER_CALL = 60e6;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { checkout: { type: "string" } },
});
const { rate, RateLimiter, UpstreamPool }: typeof import("../mod.ts") = await import(
  pathToFileURL(`${values.checkout}/mod.ts`).href
);

const open = new RateLimiter({
  name: "open",
  limits: { requests: rate({ limit: 1e6, per: "second", burst: 1e9 }) },
});
const shut = new RateLimiter({
  name: "shut",
  limits: { requests: rate({ limit: 3, per: "hour", burst: 1 }) },
});
const [openKey, shutKey] = [open.key("tenant"), shut.key("tenant")];
shut.take(shutKey);
const pool = new UpstreamPool({
  name: "pool",
  upstreams: [{ id: "a", maxInFlight: 100 }, { id: "b", maxInFlight: 100 }],
});
const cost = { requests: 1 };
const calls: Record<string, () => unknown> = {
  "take, admitted": () => open.take(openKey).allowed,
  "take, denied": () => shut.take(shutKey).allowed,
  "reserve and settle": () => {
    const call = open.reserve(openKey, cost);
    if (call.allowed) call.settle(cost);
  },
  "tryAcquire and release": () => pool.tryAcquire()!.release(),
  "acquire and release": async () => (await pool.acquire()).release(),
};
const times: Record<string, number> = {};
for (const [name, call] of Object.entries(calls)) {
  const { p50 } = await measure(call, { gc: false, min_cpu_time: NS_PER_CALL, batch_samples: 512 });
  times[name] = p50;
}
console.log(JSON.stringify(times));
process.exit(0);
