/** The limiter of sluice, shared through a store. */
import { concurrency, type LimitDefinition, quota, rate, RateLimiter } from "../../mod.ts";
import { type SharedClient, valkey, type ValkeyOptions } from "../../src/shared/mod.ts";
import type { Decider, Verdict } from "./decider.ts";
import type { GatewaySettings, LimitSettings } from "./settings.ts";

const UNIT = "amount";

export class SharedLimiter implements Decider {
  readonly #limiter: RateLimiter;
  readonly #reserves: boolean;

  constructor(client: SharedClient, settings: GatewaySettings) {
    this.#limiter = new RateLimiter({
      name: "rig",
      limits: Object.fromEntries(
        Object.entries(settings.limits).map(([name, limit]) => [name, limitOf(limit)]),
      ),
      shared: valkey({ ...settings.shared as Partial<ValkeyOptions>, client }),
    });
    this.#reserves = settings.reserves > 0;
  }

  async decide(key: string, cost: number): Promise<Verdict> {
    if (!this.#reserves) {
      const decision = await this.#limiter.takeShared(key, { [UNIT]: cost });
      const { allowed, source } = decision;
      if (allowed) return { allowed, source, end: () => {} };
      return { allowed, source, reason: `${decision.reason} ${decision.limit}`, end: () => {} };
    }
    const call = await this.#limiter.reserveShared(key, { [UNIT]: cost });
    const { allowed, source } = call;
    if (!allowed) return { allowed, source, reason: `${call.reason} ${call.limit}`, end: () => {} };
    return { allowed, source, end: (cost) => void call.settle({ [UNIT]: cost }) };
  }

  stats(): Promise<unknown> {
    return Promise.resolve(this.#limiter.stats());
  }

  async close(): Promise<void> {
    await this.#limiter[Symbol.asyncDispose]();
  }
}

function limitOf({ kind, limit, burst = limit, onOutage }: LimitSettings): LimitDefinition<string> {
  const outage = onOutage === undefined ? {} : { onOutage };
  switch (kind) {
    case "rate":
      return rate({ unit: UNIT, limit, per: "second", burst, ...outage });
    case "quota":
      return quota({ unit: UNIT, limit, per: "day", ...outage });
    case "concurrency":
      return concurrency({ unit: UNIT, limit, ...outage });
  }
}
