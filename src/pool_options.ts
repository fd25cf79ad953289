/**
 * What an upstream pool is made of: its options, their defaults and the checks on them.
 *
 * @module
 */
import { checkArray, checkString } from "./arguments.ts";
import { show } from "./errors.ts";

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
   * it back, failure ejects it for twice as long, at most ten times `cooldownMs`.
   *
   * @default 30_000
   */
  readonly cooldownMs?: number;
  /**
   * The largest share of the upstreams that failures may eject at a time, 0 to 1: with 0.5 and
   * three upstreams, one. What an upstream asks for itself by `Retry-After` is always granted.
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
   */
  readonly name: string;
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
   * `onEvent`, with the stack that acquired them. Costs a stack for each lease; of this Worker only.
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
   * tier of the others. It is never waited for.
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
  /** An upstream is back in use after a probe succeeded. */
  | { readonly type: "recovered"; readonly upstream: string }
  /** A lease outlived its time and was taken back. */
  | { readonly type: "expired"; readonly upstream: string }
  /** A Worker ended, or closed its pool, and left this many leases and places in line behind. */
  | { readonly type: "reaped"; readonly leases: number; readonly waiters: number }
  /** Events came faster than they were collected; this many were not kept. */
  | { readonly type: "missed"; readonly events: number }
  /** A lease of this Worker was lost to the garbage collector (`trackLeaks`). */
  | { readonly type: "leaked"; readonly upstream: string; readonly stack: string };

/** The most leases that a pool keeps. */
const MOST = 131_072;
/** How long a lease that was handed over may wait to be collected before the next gets it. */
const CLAIM_MS = 1000;

/** The options of a pool as the native side takes them. */
export interface PackedPool {
  readonly name: Uint8Array;
  readonly settings: Float64Array<ArrayBuffer>;
  readonly ids: Uint8Array;
  readonly timeoutMs: number;
}

const encoder = new TextEncoder();

/** Checks and packs the options. */
export function packPool(options: PoolOptions): PackedPool {
  checkObject("options", options);
  const { upstreams, queue = {}, health = {} } = options;
  const name = checkId("name", options.name);
  checkArray("upstreams", upstreams);
  checkObject("queue", queue);
  checkObject("health", health);
  const adaptive = checkAdaptive(options.adaptive);
  const settings = [
    whole("maxInFlight", options.maxInFlight ?? MOST, 1, MOST),
    whole("queue.max", queue.max ?? 1000, 0, MOST),
    number("queue.agingMs", queue.agingMs ?? 5000, 0, 1e9),
    number("leaseTtlMs", options.leaseTtlMs ?? 600_000, 1, Infinity),
    CLAIM_MS,
    whole("health.failures", health.failures ?? 5, 0, 1e6),
    number("health.failureRate", health.failureRate ?? 0.5, 0, 1e6),
    whole("health.minResults", health.minResults ?? 20, 1, 1e6),
    number("health.windowMs", health.windowMs ?? 10_000, 10, 1e9),
    number("health.cooldownMs", health.cooldownMs ?? 30_000, 1, 1e9),
    number("health.maxEjected", health.maxEjected ?? 0.5, 0, 1),
    adaptive.min,
    adaptive.backoff,
  ];
  const ids: Uint8Array[] = [];
  const seen = new Set<string>();
  upstreams.forEach((upstream, i) => {
    const { id, numbers } = packUpstream(`upstreams[${i}]`, upstream);
    if (seen.has(upstream.id)) {
      throw new RangeError(`upstreams[${i}].id is ${show(upstream.id)}, which another has`);
    }
    seen.add(upstream.id);
    settings.push(...numbers, id.length);
    ids.push(id);
  });
  const timeoutMs = checkTimeout("queue.timeoutMs", queue.timeoutMs ?? 30_000);
  return { name, settings: Float64Array.from(settings), ids: join(ids), timeoutMs };
}

/** Checks and packs one upstream: its id, and most in flight, weight, tier. */
export function packUpstream(
  at: string,
  upstream: UpstreamOptions,
): { id: Uint8Array; numbers: readonly [number, number, number] } {
  checkObject(at, upstream);
  const id = checkId(`${at}.id`, upstream.id);
  const most = checkMaxInFlight(`${at}.maxInFlight`, upstream.maxInFlight);
  const weight = checkWeight(`${at}.weight`, upstream.weight ?? 1);
  return { id, numbers: [most, weight, checkTier(`${at}.tier`, upstream.tier ?? 0)] };
}

/** How many leases may be in use. */
export function checkMaxInFlight(name: string, value: unknown): number {
  return whole(name, value, 1, MOST);
}

/** A weight. */
export function checkWeight(name: string, value: unknown): number {
  return number(name, value, 1e-6, 1e6);
}

/** A tier. */
export function checkTier(name: string, value: unknown): number {
  return whole(name, value, 0, 1e6);
}

/** A priority. */
export function checkPriority(name: string, value: unknown): number {
  return whole(name, value, -1000, 1000);
}

/** For how long to wait, in milliseconds; 0 is not at all. */
export function checkTimeout(name: string, value: unknown): number {
  return number(name, value, 0, Infinity);
}

/** How many leases to take at once. */
export function checkCount(name: string, value: unknown): number {
  return whole(name, value, 0, MOST);
}

/** A name of 1 to 255 bytes, as UTF-8. */
export function checkId(name: string, value: unknown): Uint8Array {
  checkString(name, value);
  const bytes = encoder.encode(value);
  if (bytes.length < 1 || bytes.length > 255) {
    throw new RangeError(`${name} must be 1 to 255 bytes of UTF-8, not ${bytes.length}`);
  }
  return bytes;
}

function checkAdaptive(value: unknown): { min: number; backoff: number } {
  if (value === undefined || value === false) return { min: 0, backoff: 0 };
  const options: AdaptiveOptions = value === true ? {} : value as AdaptiveOptions;
  checkObject("adaptive", options);
  return {
    min: whole("adaptive.min", options.min ?? 1, 1, MOST),
    backoff: number("adaptive.backoff", options.backoff ?? 0.5, 0.01, 0.99),
  };
}

/** Refuses what is not an object. */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`${name} must be an object, not ${show(value)}`);
  }
}

function whole(name: string, value: unknown, least: number, most: number): number {
  number(name, value, least, most);
  if (!Number.isInteger(value)) {
    throw new RangeError(`${name} must be a whole number, not ${show(value)}`);
  }
  return value as number;
}

function number(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${name} must be from ${least} to ${most}, not ${value}`);
  }
  return value;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
