/**
 * A gateway of four Workers that share one limiter. Clients send many requests of one tenant through HTTP, and then
 * of another one. At the end, the counts of the clients, the upstream and the limiter must agree, to the request and
 * to the token.
 *
 *     bun examples/limited_gateway.ts
 *     deno run -A examples/limited_gateway.ts
 *     node examples/limited_gateway.ts
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { concurrency, type Limits, quota, RateLimiter, Tokenizer } from "../mod.ts";
import { Upstream } from "./limited_gateway/upstream.ts";
import {
  type Chat,
  type LimitName,
  type Order,
  type Refused,
  type Started,
  TENANT_FIELD,
} from "./limited_gateway/worker.ts";

const WORKERS = 4;
const CLIENTS = 48;
const REQUESTS = 1000;
const TOKENS = 30_000;
const LIVE = 16;
const HALF_A_DAY_MS = 432e5;

// It is noon in the time zone of these tenants. Midnight during the run would begin a second quota.
const minutesToday = Math.floor(Date.now() / 60_000) % 1440;
const utcOffset = 720 - minutesToday;
const limits: Limits<LimitName> = {
  requests: quota({ unit: "requests", limit: REQUESTS, per: "day", utcOffset }),
  tokens: quota({ unit: "tokens", limit: TOKENS, per: "day", utcOffset }),
  live: concurrency({ limit: LIVE }),
};

const upstream = await Upstream.start();
const workers: Worker[] = [];
const gateways = await Promise.all(Array.from({ length: WORKERS }, startWorker));
// The main thread only watches, through the same limiter.
const limiter = new RateLimiter({ name: "tenants", limits });

async function startWorker(): Promise<string> {
  const url = new URL("limited_gateway/worker.ts", import.meta.url);
  const worker = new Worker(url);
  workers.push(worker);
  const { port } = await new Promise<Started>((resolve, reject) => {
    worker.once("message", resolve).once("error", reject);
    worker.postMessage({ limits, upstream: upstream.origin } satisfies Order);
  });
  return `http://127.0.0.1:${port}`;
}

/** The answers that clients got. */
class Seen {
  admitted = 0;
  /** Refused for today, by the limit that refused. */
  readonly denied: Record<LimitName, number> = { requests: 0, tokens: 0, live: 0 };
  /** Refused because other requests held the amount at that moment, and retried. */
  busy = 0;
  failed = 0;
  /** Refusals without the time at which a new day begins. */
  vague = 0;

  get deniedInAll(): number {
    return this.denied.requests + this.denied.tokens + this.denied.live;
  }
}

let turn = 0;

/** Retries until the request is admitted or refused for today. */
async function ask(tenant: string, chat: Chat, seen: Seen): Promise<void> {
  for (;;) {
    const response = await fetch(gateways[turn++ % WORKERS]!, {
      method: "POST",
      headers: { [TENANT_FIELD]: tenant },
      body: JSON.stringify(chat),
    });
    const body = await response.text();
    if (response.ok) return void seen.admitted++;
    if (response.status !== 429) return void seen.failed++;
    const { limit, retryAfterMs } = JSON.parse(body) as Refused;
    if (retryAfterMs !== null) {
      seen.denied[limit]++;
      const isTomorrow = Math.abs(retryAfterMs - HALF_A_DAY_MS) < 36e5;
      if (!isTomorrow || !(Number(response.headers.get("retry-after")) > 36e3)) seen.vague++;
      return;
    }
    seen.busy++;
    await sleep(1 + Math.random() * 4);
  }
}

/** Sends this number of requests of one tenant, by all clients at once. */
async function hammer(tenant: string, chat: Chat, requests: number): Promise<Seen> {
  const seen = new Seen();
  let left = requests;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (left-- > 0) await ask(tenant, chat, seen);
  }));
  return seen;
}

function report(tenant: string, { admitted, deniedInAll, busy, failed }: Seen): void {
  const { requests, tokens, most } = upstream.of(tenant);
  const state = limiter.inspect(tenant);
  const number = (value: number) => value.toLocaleString("en");
  console.log(
    `${tenant}: admitted ${number(admitted)}, denied ${number(deniedInAll)}, failed ${failed}; ` +
      `told ${number(busy)} times to ask again`,
  );
  console.log(
    `  the upstream served ${number(requests)} requests and ${number(tokens)} tokens, at most ` +
      `${most} at a time`,
  );
  console.log(
    `  the limiter counts ${number(state.requests.used)} of ${number(REQUESTS)} requests and ` +
      `${number(state.tokens.used)} of ${number(TOKENS)} tokens`,
  );
}

// Small requests exhaust the limit of requests.
const small = await hammer("acme", { prompt: "ping", max_tokens: 8 }, 1600);
report("acme", small);

// Large requests exhaust the limit of tokens. How many fit depends on the lengths of the answers.
const chat: Chat = { prompt: "Say something nice about rate limiters.", max_tokens: 64 };
const most = new Tokenizer("o200k_base").count(chat.prompt) + chat.max_tokens;
const large = await hammer("globex", chat, 1600);
// Part of the amount that was held at the last refusals has returned: use it up, one request at a time.
while (limiter.peek("globex", { tokens: most }).allowed) await ask("globex", chat, large);
report("globex", large);

const acme = { state: limiter.inspect("acme"), served: upstream.of("acme") };
const globex = { state: limiter.inspect("globex"), served: upstream.of("globex") };
const promises: [string, boolean][] = [
  [`exactly ${REQUESTS} requests of acme were admitted`, small.admitted === REQUESTS],
  ["the upstream says the same", acme.served.requests === REQUESTS],
  ["and the limiter too", acme.state.requests.used === REQUESTS],
  [
    "all others were denied by the limit of requests",
    small.denied.requests === 1600 - REQUESTS && small.deniedInAll === small.denied.requests,
  ],
  ["the tokens of globex are exact", globex.state.tokens.used === globex.served.tokens],
  [
    "they were used up as far as a request fits, and no further",
    globex.served.tokens <= TOKENS && globex.served.tokens > TOKENS - most &&
    large.denied.tokens > 0 && large.admitted === globex.served.requests,
  ],
  [
    `never more than ${LIVE} at a time`,
    acme.served.most <= LIVE && globex.served.most <= LIVE && acme.served.most > 1,
  ],
  ["every refusal said when the day ends", small.vague === 0 && large.vague === 0],
  [
    "nothing failed, and nothing is left reserved",
    small.failed + large.failed === 0 && limiter.stats().reservations === 0,
  ],
];
for (const [promise, isKept] of promises) {
  console.log(`${isKept ? "kept  " : "BROKEN"}  ${promise}`);
}

for (const worker of workers) void worker.terminate();
upstream.stop();
process.exit(promises.every(([, isKept]) => isKept) ? 0 : 1);
