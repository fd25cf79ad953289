/**
 * What an upstream pool is made of: its options and their defaults.
 *
 * @module
 */

/** A place that requests go to: an origin, an API key, a deployment, a region. */
export interface UpstreamOptions {
  /** Names the upstream within its pool: 1 to 255 bytes of UTF-8. Never parsed. */
  readonly id: string;
  /** How many leases of it may be in use at a time, over all Workers: 1 to 131,072. */
  readonly maxInFlight: number;
  /**
   * Its share of the load among upstreams of its tier: twice the weight, twice the leases in use.
   *
   * @default 1
   */
  readonly weight?: number;
  /**
   * An upstream of a higher tier is used only when none of a lower one has room.
   *
   * @default 0
   */
  readonly tier?: number;
}

/** What of an upstream can be changed while it is in use. */
export type UpstreamChanges = Partial<Omit<UpstreamOptions, "id">>;

/** How those wait who find no room. */
export interface QueueOptions {
  /**
   * How many may wait, over all Workers: 0 to 131,072. Who comes then is refused with
   * `SLUICE_QUEUE_FULL`.
   *
   * @default 1000
   */
  readonly max?: number;
  /**
   * How long one may wait, in milliseconds, before `SLUICE_ACQUIRE_TIMEOUT`. `Infinity` is
   * allowed, and asked for by name.
   *
   * @default 30_000
   */
  readonly timeoutMs?: number;
  /**
   * How much later an arrival one step of priority makes up for, in milliseconds: with 5000, a
   * request of priority 1 goes ahead of those of priority 0 that came at most 5 s before it, and
   * of no others. So nobody starves.
   *
   * @default 5000
   */
  readonly agingMs?: number;
}

/** When an upstream is taken out of use, and when it may come back. */
export interface HealthOptions {
  /**
   * Ejects an upstream after this many failures in a row. 0 never does.
   *
   * @default 5
   */
  readonly failures?: number;
  /**
   * Ejects an upstream when at least this share of the results within `windowMs` are failures.
   * More than 1 never does.
   *
   * @default 0.5
   */
  readonly failureRate?: number;
  /**
   * The fewest results within `windowMs` that a rate is made of.
   *
   * @default 20
   */
  readonly minResults?: number;
  /**
   * The window of the rate, in milliseconds; it moves in tenths of itself.
   *
   * @default 10_000
   */
  readonly windowMs?: number;
  /**
   * How long an ejected upstream rests, in milliseconds. Then one lease probes it: success brings
   * it back, failure ejects it for twice as long, at most ten times `cooldownMs`. Success is
   * {@linkcode Lease.confirm}, which `pool.fetch` calls with good headers, or the lease given back.
   *
   * @default 30_000
   */
  readonly cooldownMs?: number;
  /**
   * The largest share of the upstreams that failures may eject at a time, 0 to 1: with 0.5 and
   * three upstreams, one. It is a share of those that are not draining. What an upstream asks for
   * itself by `Retry-After` is always granted, and takes nothing of the share.
   *
   * @default 0.5
   */
  readonly maxEjected?: number;
}

/** How an adaptive limit moves. */
export interface AdaptiveOptions {
  /**
   * The lowest that a limit may fall to.
   *
   * @default 1
   */
  readonly min?: number;
  /**
   * What a limit is multiplied by when an upstream is overloaded, above 0 and below 1.
   *
   * @default 0.5
   */
  readonly backoff?: number;
}

/** Options of an {@linkcode UpstreamPool}. */
export interface PoolOptions {
  /**
   * The name under which all Workers of the process share the pool: 1 to 255 bytes of UTF-8. Who
   * opens it with other options is refused with `SLUICE_POOL_MISMATCH`.
   * Without a name the pool is this object's alone.
   */
  readonly name?: string;
  /** The upstreams, at most 4096; more can be added later. */
  readonly upstreams: readonly UpstreamOptions[];
  /**
   * How many leases may be in use at a time over all upstreams and Workers, at most 131,072.
   *
   * @default 131_072
   */
  readonly maxInFlight?: number;
  /** How those wait who find no room. Bounded in length and time by default. */
  readonly queue?: QueueOptions;
  /**
   * How long a lease lives without {@linkcode Lease.renew}, in milliseconds, before it is taken
   * back. `Infinity` is allowed, and asked for by name.
   *
   * @default 600_000
   */
  readonly leaseTtlMs?: number;
  /** When an upstream is taken out of use. */
  readonly health?: HealthOptions;
  /**
   * Whether the limit of each upstream moves between `min` and its `maxInFlight`: down when it
   * answers 429 or 529 or times out, up by one a round while it is used, never by latency (AIMD).
   *
   * @default false
   */
  readonly adaptive?: boolean | AdaptiveOptions;
  /**
   * Whether leases that are lost to the garbage collector are given back and reported to
   * `onEvent`, with the stack that acquired them; without `onEvent` by a process warning,
   * `SLUICE_LEASE_LEAKED`. Costs a stack for each lease; of this Worker only.
   *
   * @default false
   */
  readonly trackLeaks?: boolean;
  /**
   * Told what happens to the pool, for logs and metrics: see {@linkcode PoolEvent}. Each Worker
   * that listens is told everything once, within a quarter of a second. Of this Worker only. What
   * it throws is ignored.
   */
  readonly onEvent?: (event: PoolEvent) => void;
}

/** What {@linkcode UpstreamPool.acquire} and its kin can be asked for. */
export interface TryAcquireOptions {
  /**
   * The id of an upstream that is taken if it is healthy and has room, whatever the load and the
   * tier of the others. It is never waited for. One that was removed is no preference; an id that
   * the pool never had is refused with `SLUICE_UNKNOWN_UPSTREAM`.
   */
  readonly prefer?: string;
}

/** What {@linkcode UpstreamPool.acquire} can be asked for. */
export interface AcquireOptions extends TryAcquireOptions {
  /** Gives up the place in line, and rejects with the signal's reason, when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Who has more goes first: an integer from -1000 to 1000; `queue.agingMs` says what a step is
   * worth.
   *
   * @default 0
   */
  readonly priority?: number;
  /**
   * How long to wait at most, in milliseconds.
   *
   * @default The pool's `queue.timeoutMs`.
   */
  readonly timeoutMs?: number;
}

/** Something that happened to a pool. */
export type PoolEvent =
  /** Failures took an upstream out of use. */
  | { readonly type: "ejected"; readonly upstream: string; readonly forMs: number }
  /** An upstream asked for rest, by `Retry-After`. */
  | { readonly type: "cooling"; readonly upstream: string; readonly forMs: number }
  /** An upstream is back in use: a probe succeeded, or a rest that it asked for is over. */
  | { readonly type: "recovered"; readonly upstream: string }
  /** A lease outlived its time and was taken back. */
  | { readonly type: "expired"; readonly upstream: string }
  /** A Worker ended, or closed its pool, and left this many leases and places in line behind. */
  | { readonly type: "reaped"; readonly leases: number; readonly waiters: number }
  /** Events came faster than they were collected; this many were not kept. */
  | { readonly type: "missed"; readonly events: number }
  /**
   * A lease of this Worker was lost to the garbage collector, or a response of `pool.fetch` was not
   * read until its lease ran out (`trackLeaks`).
   */
  | { readonly type: "leaked"; readonly upstream: string; readonly stack: string };
