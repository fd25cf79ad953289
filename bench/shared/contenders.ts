/**
 * The ways to limit through Redis that are compared: sluice in its modes, npm packages, periodic synchronization, and the
 * least that one script can do. All of them use the same client of ioredis.
 *
 * @module
 */
import { Ratelimit } from "@upstash/ratelimit";
import type { Cluster, Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { rate, RateLimiter } from "../../mod.ts";
import { valkey } from "../../src/shared/mod.ts";
import { centralBucket } from "./central_bucket.ts";
import type { Decider, SharedLimit } from "./limit.ts";
import { periodicSync } from "./periodic_sync.ts";
import { upstashRedis } from "./upstash.ts";

type Open = (client: Redis | Cluster, limit: SharedLimit) => Decider;

/** The window of `limit` in whole milliseconds. */
function windowMs({ rate, burst }: SharedLimit): number {
  return Math.round(1000 * burst / rate);
}

/** The options of rate-limiter-flexible. It rounds windows to whole seconds. */
function flexibleOptions(client: Redis | Cluster, limit: SharedLimit) {
  return { storeClient: client, points: limit.burst, duration: windowMs(limit) / 1000 };
}

/** It rejects for refusals, too. */
function flexible(limiter: RateLimiterRedis): Decider {
  return {
    async decide(key) {
      try {
        await limiter.consume(key, 1);
        return true;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return false;
        throw refusal;
      }
    },
  };
}

/** It answers that a request is admitted if the server does not answer within five seconds. */
function upstash(
  client: Redis | Cluster,
  limiter: ReturnType<typeof Ratelimit.tokenBucket>,
): Decider {
  const ratelimit = new Ratelimit({ redis: upstashRedis(client), limiter });
  return { decide: async (key) => (await ratelimit.limit(key)).success };
}

let opened = 0;

/** @param wider Limits of the same requests beside the one that binds, each over a longer period. */
function sluice(mode: "exact" | "auto" | "leased", wider = 0): Open {
  return (client, { rate: limit, burst, processes, timeoutMs }) => {
    const periods = (["second", "minute", "hour"] as const).slice(0, 1 + wider);
    const limits = Object.fromEntries(periods.map((per, i) => {
      const factor = 60 ** i;
      return [`per ${per}`, rate({ limit: limit * factor, per, burst: burst * factor })];
    }));
    const shared = valkey({ client, prefix: "bench", mode, processes, timeoutMs });
    const limiter = new RateLimiter({ name: `shared ${opened++}`, limits, shared });
    return {
      decide: async (key) => (await limiter.takeShared(key)).allowed,
      close: () => limiter[Symbol.asyncDispose](),
    };
  };
}

/** The name of a way, as the record has it. */
export type ContenderName =
  | "one EVALSHA alone"
  | "sluice, exact"
  | "sluice, exact, three limits"
  | "sluice, auto"
  | "sluice, leased"
  | "rate-limiter-flexible"
  | "rate-limiter-flexible, insurance"
  | "rate-limiter-flexible, block in memory"
  | "Upstash, sliding window"
  | "Upstash, token bucket"
  | "periodic sync, 100 ms";

/** All ways, in the order of the tables. */
const CONTENDERS: Readonly<Record<ContenderName, Open>> = {
  "one EVALSHA alone": centralBucket,
  "sluice, exact": sluice("exact"),
  "sluice, exact, three limits": sluice("exact", 2),
  "sluice, auto": sluice("auto"),
  "sluice, leased": sluice("leased"),
  "rate-limiter-flexible": (client, limit) =>
    flexible(new RateLimiterRedis(flexibleOptions(client, limit))),
  // As its documentation says: every process admits its share while the store does not answer.
  "rate-limiter-flexible, insurance": (client, limit) => {
    const points = Math.ceil(limit.burst / limit.processes);
    const insuranceLimiter = new RateLimiterMemory({ points, duration: windowMs(limit) / 1000 });
    return flexible(new RateLimiterRedis({ ...flexibleOptions(client, limit), insuranceLimiter }));
  },
  "rate-limiter-flexible, block in memory": (client, limit) =>
    flexible(
      new RateLimiterRedis({
        ...flexibleOptions(client, limit),
        inMemoryBlockOnConsumed: limit.burst,
      }),
    ),
  "Upstash, sliding window": (client, limit) =>
    upstash(client, Ratelimit.slidingWindow(limit.burst, `${windowMs(limit)} ms`)),
  "Upstash, token bucket": (client, { rate, burst }) => {
    const refill = Math.max(1, Math.round(rate / 100));
    return upstash(client, Ratelimit.tokenBucket(refill, `${1000 * refill / rate} ms`, burst));
  },
  "periodic sync, 100 ms": (client, limit) => periodicSync(client, limit, windowMs(limit), 100),
};

/** All names, in the order of the tables. */
export const NAMES: readonly ContenderName[] = Object.keys(CONTENDERS) as ContenderName[];

/** Opens a way to limit. */
export function openContender(
  name: ContenderName,
  client: Redis | Cluster,
  limit: SharedLimit,
): Decider {
  const open: Open = CONTENDERS[name];
  return open(client, limit);
}
