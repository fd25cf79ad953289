/**
 * One check of one limit of one key, by all that can do it in one process; each with a loop of its own,
 * as a shared call site would be slow for all of them, and slowest for the fastest.
 *
 * @module
 */
import { RateLimiter as NpmLimiter } from "limiter";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { rate, RateLimiter } from "../../mod.ts";
import { AtomicsGcra, type Bucket, MapGcra, OPEN, SHUT } from "./gcra.ts";
import type { Contender, Outcome } from "./rounds.ts";

/** The names, as tables show them; ours first. */
export const CHECKS = [
  "sluice, by key",
  "sluice, by string",
  "sluice, coarse clock",
  "sluice, reserve and settle",
  "Map, own clock",
  "Map, cached clock",
  "SharedArrayBuffer + Atomics, own clock",
  "SharedArrayBuffer + Atomics, cached clock",
  "npm limiter",
  "rate-limiter-flexible",
  "owner Worker",
] as const;

/** One of {@linkcode CHECKS}. */
export type CheckName = (typeof CHECKS)[number];

const KEY = "tenant-42";
const ONE = { requests: 1 };
/** A cached clock is read again after so many checks. */
const CACHED = 1024;

let opened = 0;

/** A limiter of ours with that bucket, which nobody else has. */
export function openLimiter(bucket: Bucket, clock: "precise" | "coarse" = "precise"): RateLimiter {
  return reopen(`bench ${opened++}`, bucket, clock);
}

/** The limiter of that name and bucket. */
export function reopen(
  name: string,
  { intervalMs, burst }: Bucket,
  clock: "precise" | "coarse" = "precise",
): RateLimiter {
  const limit = intervalMs < 1 ? 1 / intervalMs : 1;
  const requests = rate({ limit, per: { milliseconds: limit * intervalMs }, burst });
  return new RateLimiter({ name, limits: { requests }, clock });
}

/** Opens one that admits everything, or nothing any more. */
export async function openCheck(name: CheckName, outcome: Outcome): Promise<Contender> {
  const bucket = outcome === "admitted" ? OPEN : SHUT;
  switch (name) {
    case "sluice, by key":
      return byKey(bucket, "precise");
    case "sluice, coarse clock":
      return byKey(bucket, "coarse");
    case "sluice, by string":
      return byString(bucket);
    case "sluice, reserve and settle":
      return reserving(bucket);
    case "Map, own clock":
      return mapOwn(bucket);
    case "Map, cached clock":
      return mapCached(bucket);
    case "SharedArrayBuffer + Atomics, own clock":
      return atomicsOwn(bucket);
    case "SharedArrayBuffer + Atomics, cached clock":
      return atomicsCached(bucket);
    case "npm limiter":
      return npmLimiter(bucket);
    case "rate-limiter-flexible":
      return flexible(bucket);
    case "owner Worker":
      return await owner(bucket);
  }
}

function byKey(bucket: Bucket, clock: "precise" | "coarse"): Contender {
  const limiter = openLimiter(bucket, clock);
  const key = limiter.key(KEY);
  const run = clock === "precise"
    ? (times: number) => {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (limiter.take(key).allowed) admitted++;
      return admitted;
    }
    : (times: number) => {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (limiter.take(key).allowed) admitted++;
      return admitted;
    };
  return { run, close: () => limiter.close() };
}

function byString(bucket: Bucket): Contender {
  const limiter = openLimiter(bucket);
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (limiter.take(KEY).allowed) admitted++;
      return admitted;
    },
    close: () => limiter.close(),
  };
}

function reserving(bucket: Bucket): Contender {
  const limiter = openLimiter(bucket);
  const key = limiter.key(KEY);
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        const reserved = limiter.reserve(key, ONE);
        if (!reserved.allowed) continue;
        reserved.settle(ONE);
        admitted++;
      }
      return admitted;
    },
    close: () => limiter.close(),
  };
}

function mapOwn(bucket: Bucket): Contender {
  const gcra = new MapGcra(bucket);
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (gcra.take(KEY, 1, performance.now()) === 0) admitted++;
      return admitted;
    },
  };
}

function mapCached(bucket: Bucket): Contender {
  const gcra = new MapGcra(bucket);
  return {
    run(times) {
      let admitted = 0;
      let now = performance.now();
      for (let i = 0; i < times; i++) {
        if (i % CACHED === 0) now = performance.now();
        if (gcra.take(KEY, 1, now) === 0) admitted++;
      }
      return admitted;
    },
  };
}

function atomicsOwn(bucket: Bucket): Contender {
  const gcra = new AtomicsGcra(new SharedArrayBuffer(4), bucket);
  const origin = performance.now();
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        if (gcra.take(0, (performance.now() - origin) * 1000 | 0) === 0) admitted++;
      }
      return admitted;
    },
  };
}

function atomicsCached(bucket: Bucket): Contender {
  const gcra = new AtomicsGcra(new SharedArrayBuffer(4), bucket);
  const origin = performance.now();
  return {
    run(times) {
      let admitted = 0;
      let now = 0;
      for (let i = 0; i < times; i++) {
        if (i % CACHED === 0) now = (performance.now() - origin) * 1000 | 0;
        if (gcra.take(0, now) === 0) admitted++;
      }
      return admitted;
    },
  };
}

/** The package knows no keys: a `Map` of its limiters, as its users have it. */
function npmLimiter({ intervalMs, burst }: Bucket): Contender {
  const limiters = new Map<string, NpmLimiter>();
  limiters.set(KEY, new NpmLimiter({ tokensPerInterval: burst, interval: intervalMs * burst }));
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) if (limiters.get(KEY)!.tryRemoveTokens(1)) admitted++;
      return admitted;
    },
  };
}

/** A refusal is an exception there. */
function flexible({ intervalMs, burst }: Bucket): Contender {
  const limiter = new RateLimiterMemory({ points: burst, duration: intervalMs * burst / 1000 });
  return {
    async run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        try {
          await limiter.consume(KEY, 1);
          admitted++;
        } catch {
          // Turned away.
        }
      }
      return admitted;
    },
  };
}

/** One question at a time: the time there and back. */
async function owner(bucket: Bucket): Promise<Contender> {
  const worker = new Worker(new URL("owner.ts", import.meta.url), { type: "module" });
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ bucket, port: port2 }, [port2]);
  });
  let answered: (wait: number) => void = () => {};
  port1.onmessage = ({ data }: MessageEvent<number>) => answered(data);
  return {
    async run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        const answer = new Promise<number>((resolve) => answered = resolve);
        port1.postMessage(KEY);
        if (await answer === 0) admitted++;
      }
      return admitted;
    },
    close() {
      port1.close();
      worker.terminate();
    },
  };
}
