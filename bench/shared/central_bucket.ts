/**
 * The floor of all that ask a server for every decision: one script with GCRA of one limit, by the server's clock.
 *
 * @module
 */
import type { Cluster, Redis } from "ioredis";
import type { Decider, SharedLimit } from "./limit.ts";
import { scriptOf } from "./script.ts";

/** The only field is the time at which the bucket will be full again, in microseconds. */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + ARGV[1]
if full - now > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', string.format('%.0f', ARGV[2] / 1000 + 1))
return 1
`;

/** One call for each decision, and nothing else. */
export function centralBucket(client: Redis | Cluster, { rate, burst }: SharedLimit): Decider {
  const run = scriptOf(client, SCRIPT);
  const args = [String(1e6 / rate), String(1e6 * burst / rate)];
  return { decide: async (key) => await run(`central:${key}`, args) === 1 };
}
