/**
 * The limit that all gateways share. Each process states it, and the store holds all of them to it.
 *
 * @module
 */
import type { Redis } from "ioredis";
import { rate, RateLimiter } from "../../mod.ts";
import { valkey } from "../../src/shared/mod.ts";

/** Requests a second and at once. */
export const RATE = 400;
export const BURST = 400;
/** How long a process may spend credit without the store. */
export const LEASE_MS = 1000;
/** The header field that names the tenant. */
export const TENANT_FIELD = "x-tenant";

/** Opens the limiter of a gateway. */
export function openTenants(client: Redis): RateLimiter {
  return new RateLimiter({
    name: "tenants",
    limits: { rps: rate({ limit: RATE, per: "second", burst: BURST }) },
    shared: valkey({
      client,
      prefix: "example",
      // While the store is away, each process admits a quarter of the rate.
      onOutage: "share",
      processes: 4,
      // A store that lost its data takes every key for full until all leases have ended.
      onLoss: "strict",
      leaseMs: LEASE_MS,
    }),
  });
}
