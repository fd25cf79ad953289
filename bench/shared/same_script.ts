/**
 * What an exact decision is made of: the medians of a decision, of the same script sent by the client alone, and of a `GET`.
 *
 *     bun bench/shared/same_script.ts
 *     deno run -A bench/shared/same_script.ts
 *
 * @module
 */
import { Redis } from "ioredis";
import { rate, RateLimiter } from "../../mod.ts";
import { type ScriptClient, valkey } from "../../src/shared/mod.ts";
import { StoreServer } from "../../tests/support/store_server.ts";

const CALLS = 3000;
/** Another process than the limiter's, whose sequence numbers are its own. */
const PROCESS = "ffffffffffffffff";

type Call = Parameters<ScriptClient["run"]>;

/** The median time of calls made one by one, in microseconds. */
async function median(call: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now();
    await call(i);
    times.push(1000 * (performance.now() - start));
  }
  return times.sort((a, b) => a - b)[CALLS >> 1]!;
}

await using store = await StoreServer.start();
const client = new Redis(store.port, "127.0.0.1");
let last: Call | undefined;
const recording: ScriptClient = {
  async run(...call) {
    last = call;
    const [sha, source, keys, args] = call;
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args) as string;
    } catch {
      return await client.eval(source, keys.length, ...keys, ...args) as string;
    }
  },
};
const limiter = new RateLimiter({
  name: "same script",
  limits: { rps: rate({ limit: 1e9, per: "second" }) },
  shared: valkey({ client: recording, mode: "exact" }),
});
let seq = 0;
for (let round = 1; round <= 3; round++) {
  const decision = await median(() => limiter.takeShared("key"));
  const [sha, , keys, args] = last!;
  const script = await median(() => {
    const own = args.with(1, PROCESS).with(2, String(++seq));
    return client.evalsha(sha, keys.length, ...keys, ...own);
  });
  const get = await median(() => client.get("key"));
  const [a, b, c] = [decision, script, get].map((time) => time.toFixed(1));
  console.log(`round ${round}: takeShared ${a} us, the same script alone ${b} us, GET ${c} us`);
}
await limiter[Symbol.asyncDispose]();
client.disconnect();
