/**
 * Periodic synchronization, as LiteLLM's proxy, Kong and Limitador do it: each process counts in fixed windows by itself, and
 * now and then adds its counts to those in Redis and learns the sum. Written for this bench; it is none of their code.
 *
 * @module
 */
import type { Cluster, Redis } from "ioredis";
import type { Decider, SharedLimit } from "./limit.ts";
import { scriptOf } from "./script.ts";

/** Adds to a count that lives for two windows, and returns the sum. */
const SCRIPT = `
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return sum
`;

/** The counts of a key in one window. */
interface Counts {
  readonly window: number;
  /** What all processes had reported at the last synchronization. */
  known: number;
  /** What this one admitted since. */
  unreported: number;
}

/** Decides without asking, and synchronizes every `periodMs`. */
export function periodicSync(
  client: Redis | Cluster,
  { burst }: SharedLimit,
  windowMs: number,
  periodMs: number,
): Decider {
  const run = scriptOf(client, SCRIPT);
  const keys = new Map<string, Counts>();
  const synchronize = async () => {
    await Promise.all([...keys].map(async ([key, counts]) => {
      const amount = counts.unreported;
      if (amount === 0) return;
      const name = `periodic:${key}:${counts.window}`;
      try {
        counts.known = Number(await run(name, [String(amount), String(2 * windowMs)]));
        counts.unreported -= amount;
      } catch {
        // The count goes with the next one that arrives.
      }
    }));
  };
  const timer = setInterval(() => void synchronize(), periodMs);
  return {
    decide(key) {
      const window = Math.floor(Date.now() / windowMs);
      let counts = keys.get(key);
      if (counts?.window !== window) keys.set(key, counts = { window, known: 0, unreported: 0 });
      if (counts.known + counts.unreported >= burst) return false;
      counts.unreported++;
      return true;
    },
    close: () => clearInterval(timer),
  };
}
