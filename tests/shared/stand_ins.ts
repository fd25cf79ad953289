/**
 * Limiters that stand in for sluice, to test the rig: a central bucket, which is right if it refuses during an outage, and
 * counters that are synchronized now and then, which is wrong.
 *
 * @module
 */
import type { Cluster, Redis } from "ioredis";
import type { Decider, Verdict } from "./decider.ts";
import type { GatewaySettings, LimitSettings } from "./settings.ts";

/** A leaky queue in the store, by the server's clock. Adds what fits, or `force`. Returns whether it fits, and the level. */
const BUCKET = `
local now = redis.call("TIME")
now = now[1] * 1000 + now[2] / 1000
local burst, perMs, cost, force = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local old = redis.call("HMGET", KEYS[1], "level", "at")
local level = math.max(0, tonumber(old[1] or "0") - (now - tonumber(old[2] or now)) * perMs)
local fits = level + cost <= burst and 1 or 0
if fits == 1 or force == "1" then level = level + cost end
redis.call("HSET", KEYS[1], "level", string.format("%.6f", level), "at", string.format("%.3f", now))
return { fits, string.format("%.6f", level) }
`;

/** How often counters are synchronized. */
const PERIOD_MS = 250;

type Client = Redis | Cluster;

function rateOf(settings: GatewaySettings): Required<Pick<LimitSettings, "limit" | "burst">> {
  const { limit, burst = limit } = Object.values(settings.limits)[0]!;
  return { limit, burst };
}

async function bucket(
  client: Client,
  key: string,
  settings: GatewaySettings,
  cost: number,
  isForced: boolean,
): Promise<{ fits: boolean; level: number }> {
  const { limit, burst } = rateOf(settings);
  const args = [burst, limit / 1000, cost, isForced ? 1 : 0];
  const [fits, level] = await client.eval(BUCKET, 1, key, ...args) as [number, string];
  return { fits: fits === 1, level: Number(level) };
}

function verdict(allowed: boolean, source: string, reason = "full"): Verdict {
  return { allowed, source, reason, end: () => {} };
}

/** One round trip a decision. While the store does not answer, it refuses, or admits everything. */
export class CentralBucket implements Decider {
  readonly #client: Client;
  readonly #settings: GatewaySettings;
  readonly #isOpen: boolean;

  constructor(client: Client, settings: GatewaySettings, isOpen: boolean) {
    this.#client = client;
    this.#settings = settings;
    this.#isOpen = isOpen;
  }

  async decide(key: string, cost: number): Promise<Verdict> {
    const timeout = new Promise<Verdict>((resolve) => {
      setTimeout(() => resolve(verdict(this.#isOpen, "outage", "timeout")), 100);
    });
    const call = bucket(this.#client, key, this.#settings, cost, false).then(
      ({ fits }) => verdict(fits, "store"),
      () => verdict(this.#isOpen, "outage", "error"),
    );
    return await Promise.race([call, timeout]);
  }

  stats(): Promise<unknown> {
    return Promise.resolve({});
  }

  async close(): Promise<void> {
    await this.#client.quit();
  }
}

/** Decides by its own counter, which is added to the store's counter once in a period. */
export class PeriodicSync implements Decider {
  readonly #client: Client;
  readonly #settings: GatewaySettings;
  readonly #timer: ReturnType<typeof setInterval>;
  #unsent = 0;
  #known = 0;
  #knownAt = 0;
  #key = "";

  constructor(client: Client, settings: GatewaySettings) {
    this.#client = client;
    this.#settings = settings;
    this.#timer = setInterval(() => void this.#synchronize(), PERIOD_MS);
  }

  decide(key: string, cost: number): Promise<Verdict> {
    this.#key = key;
    const { limit, burst } = rateOf(this.#settings);
    const leaked = (performance.now() - this.#knownAt) * limit / 1000;
    const fits = Math.max(0, this.#known - leaked) + this.#unsent + cost <= burst;
    if (fits) this.#unsent += cost;
    return Promise.resolve(verdict(fits, "credit"));
  }

  stats(): Promise<unknown> {
    return Promise.resolve({ unsent: this.#unsent });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#client.quit();
  }

  async #synchronize(): Promise<void> {
    const unsent = this.#unsent;
    this.#unsent = 0;
    const { level } = await bucket(this.#client, this.#key, this.#settings, unsent, true);
    this.#known = level;
    this.#knownAt = performance.now();
  }
}
