/**
 * Pools of upstreams, and of resources such as connections, with one fair queue for all Workers of a process.
 *
 * @example
 * ```ts
 * import { UpstreamPool } from "sluice/pool";
 *
 * const pool = new UpstreamPool({ name: "openai", upstreams: [{ id: "key-a", maxInFlight: 64 }] });
 * using lease = pool.tryAcquire();
 * console.log(lease?.upstream); // key-a
 * ```
 *
 * @module
 */
export {
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorDetails,
  type SluiceErrorInit,
} from "../errors.ts";
export type { StatusCode } from "../ffi/symbols.gen.ts";
export { AcquireTimeoutError } from "./acquire_timeout.ts";
export type { LeaseFailure } from "./failure.ts";
export { Lease, type ReleaseResult } from "./lease.ts";
export type { PoolFetchOptions } from "./leased_fetch.ts";
export type { Renewable } from "./kept_reservation.ts";
export type { MakeRequest, UpstreamRequest } from "./made_request.ts";
export type {
  AcquireOptions,
  AdaptiveLimitOptions,
  DrainOptions,
  PoolEvent,
  PoolHealthOptions,
  PoolOptions,
  PoolQueueOptions,
  TryAcquireOptions,
  UpstreamChanges,
  UpstreamOptions,
} from "./options.ts";
export type { PeekBody } from "./response_body.ts";
export { ResourceLease } from "./resource_lease.ts";
export type {
  ResourceDestroyReason,
  ResourceEvent,
  ResourcePoolOptions,
} from "./resource_options.ts";
export {
  type AcquireResourceOptions,
  ResourcePool,
  type ResourcePoolStats,
} from "./resource_pool.ts";
export type { SharedPoolStats, SharedUpstreamStats } from "./shared_stats.ts";
export type { PoolStats, UpstreamState, UpstreamStats } from "./stats.ts";
export { UpstreamPool } from "./upstream_pool.ts";
