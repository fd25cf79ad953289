/**
 * Limits for several processes and machines, shared through Valkey or Redis.
 *
 * `valkey()` makes the option `shared` of a `RateLimiter`. The client is the program's own, such as
 * `new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 })` of `ioredis`.
 *
 * @example
 * ```ts
 * import { rate, RateLimiter } from "sluice";
 * import { valkey } from "sluice/shared";
 *
 * // Here a client that reaches no server: the rule for an outage decides.
 * const client = { run: () => Promise.reject(new Error("not connected")) };
 * const limiter = new RateLimiter({
 *   name: "tenants",
 *   limits: { rpm: rate({ limit: 600, per: "minute" }) },
 *   shared: valkey({ client, onOutage: "open" }),
 * });
 * const decision = await limiter.takeShared("tenant-42");
 * console.log(decision.allowed, decision.source); // true outage
 * await limiter[Symbol.asyncDispose]();
 * ```
 *
 * @module
 */
export type {
  CommandClient,
  IoredisClient,
  NodeRedisClient,
  NodeRedisScriptCall,
  ScriptClient,
  SharedClient,
} from "./clients.ts";
export type { OnOutage, Script, SharedMode, SharedSettings, SharedTransport } from "./transport.ts";
export type { SharedStore } from "../limiter/shared_store.ts";
export { valkey, type ValkeyOptions } from "./valkey.ts";
