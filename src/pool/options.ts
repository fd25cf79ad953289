/**
 * The options of an upstream pool, their defaults, and its events.
 *
 * @module
 */

import type { SharedTransport } from "../shared/transport.ts";

/** A place that requests go to: an origin, an API key, a deployment, a region. */
export interface UpstreamOptions {
  /** The name of the upstream within its pool: 1 to 255 bytes of UTF-8. It is never parsed. */
  readonly id: string;
  /** How many leases of it may be in use at a time, in all Workers: 1 to 131,072. */
  readonly maxInFlight: number;
  /**
   * Its share of the load among the upstreams of its tier: with twice the weight it has twice the leases in
   * use.
   *
   * @default 1
   */
  readonly weight?: number | undefined;
  /**
   * An upstream of a higher tier is used only if none of a lower tier has room.
   *
   * @default 0
   */
  readonly tier?: number | undefined;
}

/** The settings of an upstream that can be changed while it is in use. */
export type UpstreamChanges = {
  readonly [Setting in Exclude<keyof UpstreamOptions, "id">]?: UpstreamOptions[Setting] | undefined;
};

/** The queue of requests that find no free lease. */
export interface PoolQueueOptions {
  /**
   * How many requests may be queued, in all Workers: 0 to 131,072. Further ones are refused with
   * `SLUICE_QUEUE_FULL`.
   *
   * @default 1000
   */
  readonly max?: number | undefined;
  /**
   * How long a request may be queued, in milliseconds, before `SLUICE_ACQUIRE_TIMEOUT`. `Infinity` is allowed.
   *
   * @default 30_000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * The lead of one step of priority over the order of arrival, in milliseconds. With 5000, a request of
   * priority 1 overtakes requests of priority 0 that arrived at most 5 s before it, and no others. So no
   * request starves.
   *
   * @default 5000
   */
  readonly agingMs?: number | undefined;
}

/** When an upstream is ejected, and when it may be used again. */
export interface PoolHealthOptions {
  /**
   * Ejects an upstream after this many failures in a row. 0 disables this rule.
   *
   * @default 5
   */
  readonly failures?: number | undefined;
  /**
   * Ejects an upstream if at least this share of the results within `windowMs` are failures. A share above 1
   * disables this rule.
   *
   * @default 0.5
   */
  readonly failureRate?: number | undefined;
  /**
   * The fewest results within `windowMs` from which a rate is computed.
   *
   * @default 20
   */
  readonly minResults?: number | undefined;
  /**
   * The window of the rate, in milliseconds. It slides in tenths of its length.
   *
   * @default 10_000
   */
  readonly windowMs?: number | undefined;
  /**
   * How long an ejected upstream rests, in milliseconds. After that one lease probes it. Success returns it to
   * use; failure ejects it for twice as long, up to ten times `cooldownMs`. The probe succeeds with
   * {@linkcode Lease.confirm}, which `pool.fetch` calls for good headers, or when the lease is given back.
   *
   * @default 30_000
   */
  readonly cooldownMs?: number | undefined;
  /**
   * The largest share of the upstreams that failures may eject at a time, from 0 to 1: with 0.5 and three
   * upstreams, one. Upstreams that are draining are not counted. Rests that an upstream asks for by
   * `Retry-After` are always granted, and are no part of this share.
   *
   * @default 0.5
   */
  readonly maxEjected?: number | undefined;
}

/** How an adaptive limit changes (AIMD). */
export interface AdaptiveLimitOptions {
  /**
   * The lowest limit.
   *
   * @default 1
   */
  readonly min?: number | undefined;
  /**
   * The factor by which a limit is multiplied when an upstream is overloaded, above 0 and below 1.
   *
   * @default 0.5
   */
  readonly backoff?: number | undefined;
}

/** Options of an {@linkcode UpstreamPool}. */
export interface PoolOptions {
  /**
   * The name under which all Workers of the process share the pool: 1 to 255 bytes of UTF-8. Opening it with
   * other options is refused with `SLUICE_POOL_MISMATCH`. Without a name only this object uses the pool.
   */
  readonly name?: string | undefined;
  /** The upstreams, at most 4096. More can be added later. */
  readonly upstreams: readonly UpstreamOptions[];
  /**
   * How many leases may be in use at a time, of all upstreams and in all Workers, at most 131,072.
   *
   * @default 131_072
   */
  readonly maxInFlight?: number | undefined;
  /** The queue of requests that find no free lease. Its length and times are bounded by default. */
  readonly queue?: PoolQueueOptions | undefined;
  /**
   * The time to live of a lease, in milliseconds. A lease that is not renewed within it
   * ({@linkcode Lease.renew}) is taken back. `Infinity` is allowed.
   *
   * @default 600_000
   */
  readonly leaseTtlMs?: number | undefined;
  /**
   * What the pool is shared through with other processes: made by `valkey()` of `sluice/shared`. The limits of
   * the upstreams and of the pool then hold over all processes that open a pool of this name with the same
   * store. A rest that an upstream asks for, and its probe, are shared as well. `name` is required.
   *
   * @default The pool is of this process alone.
   */
  readonly shared?: SharedTransport | undefined;
  /** When an upstream is ejected. */
  readonly health?: PoolHealthOptions | undefined;
  /**
   * Whether the limit of each upstream adapts between `min` and its `maxInFlight` (AIMD). It falls when the
   * upstream answers 429 or 529 or times out, and rises by one per round while it is used. Latency has no
   * influence.
   *
   * @default false
   */
  readonly adaptive?: boolean | AdaptiveLimitOptions | undefined;
  /**
   * Whether leases that are garbage-collected are given back and reported, with the stack that acquired them,
   * to `onEvent`, or without `onEvent` by the process warning `SLUICE_LEASE_LEAKED`. Costs one stack per
   * lease. Applies to this Worker only.
   *
   * @default false
   */
  readonly trackLeaks?: boolean | undefined;
  /**
   * Is called for each {@linkcode PoolEvent}, for logs and metrics. Each Worker that listens gets every event
   * once, within 250 ms. What the listener throws is ignored. Applies to this Worker only.
   */
  readonly onEvent?: ((event: PoolEvent) => void) | undefined;
}

/** Options of {@linkcode UpstreamPool.tryAcquire} and {@linkcode UpstreamPool.acquireBatch}. */
export interface TryAcquireOptions {
  /**
   * The id of a preferred upstream. It is chosen if it is healthy and has room, whatever the load and the
   * tiers of the others. Requests do not wait for it. The id of a removed upstream has no effect; an id that
   * the pool never had is refused with `SLUICE_UNKNOWN_UPSTREAM`.
   */
  readonly prefer?: string | undefined;
}

/** Options of {@linkcode UpstreamPool.acquire}. */
export interface AcquireOptions extends TryAcquireOptions {
  /** Leaves the queue when it aborts, and rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Requests of higher priority are served first: an integer from -1000 to 1000. `queue.agingMs` bounds how
   * far they overtake others.
   *
   * @default 0
   */
  readonly priority?: number | undefined;
  /**
   * How long to wait at most, in milliseconds.
   *
   * @default The pool's `queue.timeoutMs`.
   */
  readonly timeoutMs?: number | undefined;
}

/** Options of `drain` and `close`. */
export interface DrainOptions {
  /** Ends the wait when it aborts, and rejects with its reason. No lease is granted again. */
  readonly signal?: AbortSignal | undefined;
}

/** An event of a pool. */
export type PoolEvent =
  /** Failures ejected an upstream. */
  | { readonly type: "ejected"; readonly upstream: string; readonly forMs: number }
  /** An upstream asked for a rest, by `Retry-After`. */
  | { readonly type: "cooling"; readonly upstream: string; readonly forMs: number }
  /** An upstream is in use again: a probe succeeded, or a rest that it asked for is over. */
  | { readonly type: "recovered"; readonly upstream: string }
  /** A lease expired and was taken back. */
  | { readonly type: "expired"; readonly upstream: string }
  /** A Worker ended, or left its pool, and its leases and queued requests were removed. */
  | { readonly type: "reaped"; readonly leases: number; readonly waiters: number }
  /** Events came faster than they were read, and this many were dropped. */
  | { readonly type: "missed"; readonly events: number }
  /**
   * With `trackLeaks`: a lease of this Worker was garbage-collected, or a response of `pool.fetch` was not read
   * before its lease expired.
   */
  | { readonly type: "leaked"; readonly upstream: string; readonly stack: string };
