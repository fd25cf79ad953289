/**
 * Four gateways, two in Bun and two in Deno, that hold one tenant to one limit through a Redis or Valkey server, while a
 * gateway is killed, the server is killed, and the server returns without its data. At the end the upstream's own count of
 * what was admitted stands beside what was allowed.
 *
 *     bun examples/many_gateways.ts
 *     deno run -A examples/many_gateways.ts
 *
 * It needs `valkey-server` or `redis-server` on the path, and listens on 127.0.0.1 only.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { NO_STORE, StoreServer } from "../tests/support/store_server.ts";
import { BURST, LEASE_MS, RATE, TENANT_FIELD } from "./many_gateways/limit.ts";
import { type Gateway, startGateway } from "./many_gateways/processes.ts";
import { Upstream } from "./many_gateways/upstream.ts";

/** Requests a second to each gateway: three times the limit in all. */
const OFFERED = 3 * RATE / 4;
const SECONDS = 12;
/** The seconds at which something happens. */
const KILL_GATEWAY = 3;
const KILL_STORE = 5;
const RESTART_STORE = 8;

if (NO_STORE) process.exit(1);

await using store = await StoreServer.start();
await using upstream = await Upstream.start();
const runtimes = ["bun", "deno", "bun", "deno"] as const;
const gateways = await Promise.all(
  runtimes.map((runtime) => startGateway(runtime, store.port, upstream.origin)),
);
console.log(
  `${gateways.length} gateways share ${RATE} requests a second, burst ${BURST}, through ` +
    `${store.kind}; ${4 * OFFERED} a second arrive`,
);

/** Answers of the gateways in a second. */
class Seen {
  admitted = 0;
  refused = 0;
  /** Requests to the gateway that was killed, or without a decision. */
  failed = 0;
  /** Admissions by where the decision came from: "credit", "store" or "outage". */
  readonly sources: Record<string, number> = {};
  slowestMs = 0;
}

let seen = new Seen();
/** The longest wait for a decision of a gateway that lives. */
let slowestMs = 0;
let open = 0;

async function request({ url }: Gateway): Promise<void> {
  const start = performance.now();
  open++;
  try {
    const response = await fetch(url, { headers: { [TENANT_FIELD]: "acme" } });
    await response.arrayBuffer();
    if (response.status === 200) {
      const source = response.headers.get("x-source")!;
      seen.admitted++;
      seen.sources[source] = (seen.sources[source] ?? 0) + 1;
    } else if (response.status === 429) seen.refused++;
    else seen.failed++;
    slowestMs = Math.max(slowestMs, performance.now() - start);
  } catch {
    seen.failed++;
  }
  open--;
}

/** Sends requests to all gateways for a second. */
async function load(): Promise<void> {
  const start = performance.now();
  let sent = 0;
  for (let now = start; now < start + 1000; now = performance.now()) {
    for (const due = Math.floor((now - start) * OFFERED / 1000); sent < due; sent++) {
      for (const gateway of gateways) void request(gateway);
    }
    await sleep(2);
  }
}

/** When the server was killed. */
let killedAt = 0;

async function strike(second: number): Promise<string> {
  if (second === KILL_GATEWAY) {
    gateways[3]!.kill();
    return "   kill -9 of a gateway";
  }
  if (second === KILL_STORE) {
    killedAt = performance.now();
    await store.kill();
    return `   kill -9 of ${store.kind}`;
  }
  if (second === RESTART_STORE) {
    await store.restart();
    return `   ${store.kind} is back, without its data`;
  }
  return "";
}

// With `onLoss: "strict"`, a new store counts as one that has lost its data: every key is full until all leases have ended,
// and then it empties.
await request(gateways[0]!);
await sleep(LEASE_MS + 1000 * BURST / RATE);

console.log("second  admitted  refused  failed  decided by");
for (let second = 0; second < SECONDS; second++) {
  const event = await strike(second);
  seen = new Seen();
  await load();
  const { admitted, refused, failed, sources } = seen;
  const columns = [String(second).padStart(6), String(admitted).padStart(8)]
    .concat(String(refused).padStart(7), String(failed).padStart(6));
  const by = Object.entries(sources).map(([source, count]) => `${count} ${source}`).join(", ");
  console.log(`${columns.join("  ")}  ${by}${event}`);
}
while (open > 0) await sleep(20);
for (const gateway of gateways) await gateway.stop();

// Every window W may admit BURST + RATE * W by the store's clock. The upstream sees requests later, by the time that they
// travel. Processes that are cut off keep their credit for at most one lease, while the others already admit their shares.
const travel = RATE * slowestMs / 1000;
const slack = RATE * LEASE_MS / 1000 * 3 / 4;
const connected = upstream.worstWindow("acme", RATE, killedAt);
const worst = upstream.worstWindow("acme", RATE);
const total = upstream.admitted("acme");
const allowed = BURST + RATE * SECONDS;
console.log(
  `\nthe upstream counted ${total} requests; ${allowed} were allowed in ${SECONDS} seconds`,
);
console.log(
  `worst window: ${connected.toFixed(0)} above the rate until ${store.kind} was killed, ` +
    `${worst.toFixed(0)} in all; ${BURST} and ${BURST + slack} are allowed, and ` +
    `${travel.toFixed(0)} for the time that requests travel`,
);
const promises: readonly [string, boolean][] = [
  [
    "until the server was killed, no window admitted more than the limit",
    connected <= BURST + travel,
  ],
  ["and later none more than the bound of an outage", worst <= BURST + slack + travel],
  ["the whole run admitted no more than was allowed", total <= allowed],
  ["requests were admitted before, in and after the outage", total > RATE * SECONDS / 2],
  ["no living gateway made a request wait for five seconds", slowestMs < 5000],
];
for (const [promise, isKept] of promises) {
  console.log(`${isKept ? "kept  " : "BROKEN"}  ${promise}`);
}
process.exitCode = promises.every(([, isKept]) => isKept) ? 0 : 1;
