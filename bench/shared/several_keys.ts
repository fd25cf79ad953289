/**
 * Six keys in one decision, all or nothing, in a cluster of three masters: a key, a user and a team, each in two limiters, which
 * are three slots.
 *
 * No script can write to several slots. So with others a program asks for one key after the other and stops at the first
 * refusal, or asks for all at once; either way what was admitted before a refusal stays charged.
 *
 * @module
 */
import { rate, RateLimiter, takeAllShared } from "../../mod.ts";
import { valkey } from "../../src/shared/mod.ts";
import { StoreCluster } from "../../tests/support/store_cluster.ts";
import { rounded } from "../measure.ts";
import { expect, progress } from "../program.ts";
import { openContender } from "./contenders.ts";
import type { Decider, SharedLimit } from "./limit.ts";
import { quantile } from "./pace.ts";
import { connectCluster } from "./store.ts";

const OPEN: SharedLimit = { rate: 1e6, burst: 1e6, processes: 1, timeoutMs: 5000 };
const WHO = ["key-7", "user-42", "team-3"];

/** Microseconds of a decision over all keys, with an entry for each round. */
export interface SeveralCell {
  readonly part: "several";
  readonly name: string;
  readonly p50: number[];
  readonly p99: number[];
}

/** Measures the ways in turns. */
export async function severalKeys(brief: boolean): Promise<SeveralCell[]> {
  await using cluster = await StoreCluster.start();
  const client = await connectCluster(cluster.ports);
  const alone = openContender("one EVALSHA alone", client, OPEN);
  const flexible = openContender("rate-limiter-flexible", client, OPEN);
  const keys = WHO.flatMap((who) => [`requests:${who}`, `tokens:${who}`]);
  const limiters = ["requests", "tokens"].map((name) =>
    new RateLimiter({
      name: `several ${name}`,
      limits: { [name]: rate({ limit: OPEN.rate, per: "second", burst: OPEN.burst }) },
      shared: valkey({ client, prefix: "bench", mode: "exact", timeoutMs: OPEN.timeoutMs }),
    })
  );
  const parts = limiters.flatMap((limiter) => WHO.map((key) => ({ limiter, key })));
  const ways: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
    "one EVALSHA alone, one key": () => alone.decide("one"),
    "sluice, takeAllShared over six keys": async () => (await takeAllShared(parts)).allowed,
    "one EVALSHA alone, six in turn": () => allInTurn(alone, keys),
    "rate-limiter-flexible, six in turn": () => allInTurn(flexible, keys),
    "rate-limiter-flexible, six at once": () => allAtOnce(flexible, keys),
  };
  const cells = Object.keys(ways).map((name): SeveralCell => ({
    part: "several",
    name,
    p50: [],
    p99: [],
  }));
  for (let round = 0; round < (brief ? 1 : 5); round++) {
    for (const { name, p50, p99 } of cells) {
      progress(`shared: six keys, round ${round + 1}, ${name}`);
      const times = await timesOf(name, ways[name]!, brief ? 20 : 1000);
      p50.push(rounded(quantile(times, 0.5)));
      p99.push(rounded(quantile(times, 0.99)));
    }
  }
  for (const limiter of limiters) await limiter[Symbol.asyncDispose]();
  client.disconnect();
  return cells;
}

async function allInTurn({ decide }: Decider, keys: readonly string[]): Promise<boolean> {
  for (const key of keys) if (!await decide(key)) return false;
  return true;
}

async function allAtOnce({ decide }: Decider, keys: readonly string[]): Promise<boolean> {
  return (await Promise.all(keys.map((key) => decide(key)))).every(Boolean);
}

async function timesOf(
  name: string,
  decide: () => boolean | Promise<boolean>,
  count: number,
): Promise<number[]> {
  for (let i = 0; i < count / 4; i++) await decide();
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    expect(await decide(), `${name} admits where there is room`);
    times.push(1000 * (performance.now() - start));
  }
  return times.sort((a, b) => a - b);
}
