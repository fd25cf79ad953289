/**
 * A decision from credit that a process holds, beside the same limiter without a store.
 *
 * Credit is limited by what the process uses in a quarter of a second. So between samples the event loop runs until a call has
 * brought more, and only decisions from credit are timed.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { rate, RateLimiter } from "../../mod.ts";
import { valkey } from "../../src/shared/mod.ts";
import { median, type Spread, spread } from "../measure.ts";
import { expect, progress } from "../program.ts";
import { connect, startStore } from "./store.ts";

const KEY = "tenant-42";
const PER_SAMPLE = 256;
const LIMIT = { limit: 1e9, per: "second", burst: 1e9 } as const;

/** Nanoseconds of a decision. */
export interface CreditCell extends Spread {
  readonly part: "credit";
  readonly name: string;
}

/** Times the ways in turns. */
export async function fromCredit(brief: boolean): Promise<CreditCell[]> {
  await using store = await startStore();
  const client = await connect(store.port);
  const local = new RateLimiter({ name: "local", limits: { rps: rate(LIMIT) } });
  const shared = new RateLimiter({
    name: "leased",
    limits: { rps: rate(LIMIT) },
    shared: valkey({ client, prefix: "bench", mode: "leased", timeoutMs: 5000 }),
  });
  const key = shared.key(KEY);
  const localKey = local.key(KEY);
  /** Each returns how many of its decisions were taken from credit. */
  const ways: Readonly<Record<string, () => number | Promise<number>>> = {
    "take, no store": () => counted(() => local.take(localKey).allowed),
    "take": () => counted(() => shared.take(key).allowed),
    async "takeShared, awaited"() {
      let count = 0;
      for (let i = 0; i < PER_SAMPLE; i++) {
        const { allowed, source } = await shared.takeShared(key);
        if (allowed && source === "credit") count++;
      }
      return count;
    },
  };
  const cells = Object.keys(ways).map((name) => ({ name, rounds: [] as number[] }));
  for (let round = 0; round < (brief ? 1 : 9); round++) {
    for (const { name, rounds } of cells) {
      progress(`shared: from credit, round ${round + 1}, ${name}`);
      rounds.push(median(await samples(ways[name]!, brief ? 3 : 100)));
    }
  }
  await shared[Symbol.asyncDispose]();
  client.disconnect();
  return cells.map(({ name, rounds }) => ({ part: "credit", name, ...spread(rounds) }));
}

function counted(take: () => boolean): number {
  let count = 0;
  for (let i = 0; i < PER_SAMPLE; i++) if (take()) count++;
  return count;
}

/** Nanoseconds of a decision in each of `count` samples in which all came from credit. */
async function samples(way: () => number | Promise<number>, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let tries = 0; times.length < count; tries++) {
    expect(tries < 50 * count + 500, "credit arrives between samples");
    const start = performance.now();
    const decided = await way();
    const time = performance.now() - start;
    if (decided === PER_SAMPLE) times.push(1e6 * time / PER_SAMPLE);
    // Lets the call for more credit be sent and answered.
    await sleep(2);
  }
  return times;
}
