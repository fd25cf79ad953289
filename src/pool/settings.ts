/**
 * The options of a pool: checked, and packed into numbers.
 *
 * @module
 */
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkNumber,
  checkSignal as checkAbortSignal,
  checkString,
  readArray,
} from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import {
  MAX_IN_FLIGHT,
  MAX_UPSTREAM_ID_BYTES,
  POOL_SETTING_ADAPTIVE_BACKOFF,
  POOL_SETTING_ADAPTIVE_MIN,
  POOL_SETTING_CLAIM_MS,
  POOL_SETTING_HEALTH_COOLDOWN_MS,
  POOL_SETTING_HEALTH_FAILURE_RATE,
  POOL_SETTING_HEALTH_FAILURES,
  POOL_SETTING_HEALTH_MAX_EJECTED,
  POOL_SETTING_HEALTH_MIN_RESULTS,
  POOL_SETTING_HEALTH_WINDOW_MS,
  POOL_SETTING_LEASE_TTL_MS,
  POOL_SETTING_MAX_IN_FLIGHT,
  POOL_SETTING_QUEUE_AGING_MS,
  POOL_SETTING_QUEUE_MAX,
  POOL_SETTINGS,
  POOL_UPSTREAM_SETTING_ID_BYTES,
  POOL_UPSTREAM_SETTING_MAX_IN_FLIGHT,
  POOL_UPSTREAM_SETTING_TIER,
  POOL_UPSTREAM_SETTING_WEIGHT,
  POOL_UPSTREAM_SETTINGS,
  UPSTREAM_MAX_IN_FLIGHT,
  UPSTREAM_TIER,
  UPSTREAM_WEIGHT,
} from "../ffi/symbols.gen.ts";
import { packSharing } from "./shared_settings.ts";
import type {
  AcquireOptions,
  AdaptiveLimitOptions,
  DrainOptions,
  PoolHealthOptions,
  PoolOptions,
  PoolQueueOptions,
  TryAcquireOptions,
  UpstreamChanges,
  UpstreamOptions,
} from "./options.ts";

/**
 * How long a granted lease may stay uncollected before the next request gets it, in milliseconds. It must be
 * far above the time that an event loop is blocked, or busy Workers would lose their turns, and far below
 * the time that people wait. Between the two its value does not matter.
 */
const CLAIM_MS = 1000;
/** The default of `queue.timeoutMs`, in milliseconds. */
export const QUEUE_TIMEOUT_MS = 30_000;

const POOL: Known<PoolOptions> = {
  name: true,
  upstreams: true,
  maxInFlight: true,
  queue: true,
  leaseTtlMs: true,
  shared: true,
  health: true,
  adaptive: true,
  trackLeaks: true,
  onEvent: true,
};
const QUEUE: Known<PoolQueueOptions> = { max: true, timeoutMs: true, agingMs: true };
const HEALTH: Known<PoolHealthOptions> = {
  failures: true,
  failureRate: true,
  minResults: true,
  windowMs: true,
  cooldownMs: true,
  maxEjected: true,
};
const ADAPTIVE: Known<AdaptiveLimitOptions> = { min: true, backoff: true };
const CHANGES: Known<UpstreamChanges> = { maxInFlight: true, weight: true, tier: true };
const UPSTREAM: Known<UpstreamOptions> = { id: true, ...CHANGES };
const TRY_ACQUIRE: Known<TryAcquireOptions> = { prefer: true };
/** The options of `acquire`, which other calls extend. */
export const ACQUIRE: Known<AcquireOptions> = {
  ...TRY_ACQUIRE,
  signal: true,
  priority: true,
  timeoutMs: true,
};
const DRAIN: Known<DrainOptions> = { signal: true };

/** The options of a pool as they cross. */
export interface PackedPool {
  /** The name, or a random one. */
  readonly title: string;
  readonly name: Uint8Array;
  readonly settings: Float64Array<ArrayBuffer>;
  readonly ids: Uint8Array;
  /** The ids as strings. */
  readonly upstreams: readonly string[];
  readonly timeoutMs: number;
  readonly leaseTtlMs: number;
}

const encoder = new TextEncoder();

/** Checks and packs the options. */
export function packPool(options: PoolOptions): PackedPool {
  checkKnown<PoolOptions>("options", options, POOL);
  const { queue = {}, health = {} } = options;
  const { name: title = `private ${crypto.randomUUID()}` } = options;
  const name = checkId("name", title);
  const upstreams = readArray("upstreams", options.upstreams, (one) => one as UpstreamOptions);
  checkKnown<PoolQueueOptions>("queue", queue, QUEUE);
  checkKnown<PoolHealthOptions>("health", health, HEALTH);
  const adaptive = checkAdaptive(options.adaptive);
  const leaseTtlMs = checkNumber("leaseTtlMs", options.leaseTtlMs ?? 600_000, 1, Infinity);
  const sharing = packSharing(options);
  const length = POOL_SETTINGS + POOL_UPSTREAM_SETTINGS * upstreams.length;
  const settings = new Float64Array(length + sharing.length);
  settings.set(sharing, length);
  const maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT;
  const queueMax = checkInteger("queue.max", queue.max ?? 1000, 0, MAX_IN_FLIGHT);
  const agingMs = checkNumber("queue.agingMs", queue.agingMs ?? 5000, 0, 1e9);
  settings[POOL_SETTING_MAX_IN_FLIGHT] = checkMaxInFlight("maxInFlight", maxInFlight);
  settings[POOL_SETTING_QUEUE_MAX] = queueMax;
  settings[POOL_SETTING_QUEUE_AGING_MS] = agingMs;
  settings[POOL_SETTING_LEASE_TTL_MS] = leaseTtlMs;
  settings[POOL_SETTING_CLAIM_MS] = CLAIM_MS;
  packHealth(health, settings);
  settings[POOL_SETTING_ADAPTIVE_MIN] = adaptive.min;
  settings[POOL_SETTING_ADAPTIVE_BACKOFF] = adaptive.backoff;
  const ids: Uint8Array[] = [];
  const seen = new Set<string>();
  upstreams.forEach((upstream, i) => {
    const { id, maxInFlight, weight, tier } = packUpstream(`upstreams[${i}]`, upstream);
    if (seen.has(upstream.id)) {
      throw new RangeError(`upstreams[${i}].id must be unique, and ${show(upstream.id)} is not`);
    }
    seen.add(upstream.id);
    const own = settings.subarray(POOL_SETTINGS + POOL_UPSTREAM_SETTINGS * i);
    own[POOL_UPSTREAM_SETTING_MAX_IN_FLIGHT] = maxInFlight;
    own[POOL_UPSTREAM_SETTING_WEIGHT] = weight;
    own[POOL_UPSTREAM_SETTING_TIER] = tier;
    own[POOL_UPSTREAM_SETTING_ID_BYTES] = id.length;
    ids.push(id);
  });
  const timeoutMs = checkTimeout("queue.timeoutMs", queue.timeoutMs ?? QUEUE_TIMEOUT_MS);
  return {
    title,
    name,
    settings,
    ids: join(ids),
    upstreams: [...seen],
    timeoutMs,
    leaseTtlMs,
  };
}

/** An upstream as it crosses. */
export interface PackedUpstream {
  readonly id: Uint8Array;
  readonly maxInFlight: number;
  readonly weight: number;
  readonly tier: number;
}

/** Checks one upstream. */
export function packUpstream(at: string, upstream: UpstreamOptions): PackedUpstream {
  checkKnown<UpstreamOptions>(at, upstream, UPSTREAM);
  const id = checkId(`${at}.id`, upstream.id);
  const maxInFlight = checkMaxInFlight(`${at}.maxInFlight`, upstream.maxInFlight);
  const weight = checkWeight(`${at}.weight`, upstream.weight ?? 1);
  return { id, maxInFlight, weight, tier: checkTier(`${at}.tier`, upstream.tier ?? 0) };
}

function packHealth(health: PoolHealthOptions, settings: Float64Array): void {
  const failures = checkInteger("health.failures", health.failures ?? 5, 0, 1e6);
  const failureRate = checkNumber("health.failureRate", health.failureRate ?? 0.5, 0, 1e6);
  const minResults = checkInteger("health.minResults", health.minResults ?? 20, 1, 1e6);
  const windowMs = checkNumber("health.windowMs", health.windowMs ?? 10_000, 10, 1e9);
  const cooldownMs = checkNumber("health.cooldownMs", health.cooldownMs ?? 30_000, 1, 1e9);
  const maxEjected = checkNumber("health.maxEjected", health.maxEjected ?? 0.5, 0, 1);
  settings[POOL_SETTING_HEALTH_FAILURES] = failures;
  settings[POOL_SETTING_HEALTH_FAILURE_RATE] = failureRate;
  settings[POOL_SETTING_HEALTH_MIN_RESULTS] = minResults;
  settings[POOL_SETTING_HEALTH_WINDOW_MS] = windowMs;
  settings[POOL_SETTING_HEALTH_COOLDOWN_MS] = cooldownMs;
  settings[POOL_SETTING_HEALTH_MAX_EJECTED] = maxEjected;
}

/** Checks all changes of an upstream, and returns pairs of a setting and its value. */
export function packChanges(changes: UpstreamChanges): [number, number][] {
  checkKnown<UpstreamChanges>("changes", changes, CHANGES);
  const { maxInFlight, weight, tier } = changes;
  const settings: [number, number][] = [];
  if (maxInFlight !== undefined) {
    settings.push([UPSTREAM_MAX_IN_FLIGHT, checkMaxInFlight("maxInFlight", maxInFlight)]);
  }
  if (weight !== undefined) settings.push([UPSTREAM_WEIGHT, checkWeight("weight", weight)]);
  if (tier !== undefined) settings.push([UPSTREAM_TIER, checkTier("tier", tier)]);
  return settings;
}

/** The preferred upstream, of the options of `tryAcquire`. */
export function checkTryAcquire(options: TryAcquireOptions): string | undefined {
  checkKnown<TryAcquireOptions>("options", options, TRY_ACQUIRE);
  return checkPrefer(options);
}

/** The preferred upstream, of options that may have one. */
export function checkPrefer({ prefer }: TryAcquireOptions): string | undefined {
  if (prefer !== undefined) checkString("prefer", prefer);
  return prefer;
}

/** The signal, of the options of `drain` and `close`. */
export function checkDrain(options: DrainOptions): AbortSignal | undefined {
  checkKnown<DrainOptions>("options", options, DRAIN);
  return checkSignal(options);
}

/** The signal, of options that may have one. */
export function checkSignal({ signal }: DrainOptions): AbortSignal | undefined {
  return checkAbortSignal("signal", signal);
}

/** The options that are about this object and not about the pool. */
export function checkWatching(
  { onEvent, trackLeaks = false }: PoolOptions,
): { onEvent: PoolOptions["onEvent"]; trackLeaks: boolean } {
  if (onEvent !== undefined) checkFunction("onEvent", onEvent);
  return { onEvent, trackLeaks: checkBoolean("trackLeaks", trackLeaks) };
}

/** Checks a number of leases in use. */
export function checkMaxInFlight(name: string, value: unknown): number {
  return checkInteger(name, value, 1, MAX_IN_FLIGHT);
}

/** Checks a weight. */
export function checkWeight(name: string, value: unknown): number {
  return checkNumber(name, value, 1e-6, 1e6);
}

/** Checks a tier. */
export function checkTier(name: string, value: unknown): number {
  return checkInteger(name, value, 0, 1e6);
}

/** Checks a priority. */
export function checkPriority(name: string, value: unknown): number {
  return checkInteger(name, value, -1000, 1000);
}

/** Checks how long to wait, in milliseconds. 0 does not wait. */
export function checkTimeout(name: string, value: unknown): number {
  return checkNumber(name, value, 0, Infinity);
}

/** Checks how many leases to take at once. */
export function checkCount(name: string, value: unknown): number {
  return checkInteger(name, value, 0, MAX_IN_FLIGHT);
}

/** Checks an id of 1 to {@linkcode MAX_UPSTREAM_ID_BYTES} bytes of UTF-8, and returns the bytes. */
export function checkId(name: string, value: unknown): Uint8Array {
  checkString(name, value);
  const bytes = encoder.encode(value);
  if (bytes.length < 1 || bytes.length > MAX_UPSTREAM_ID_BYTES) {
    throw new RangeError(
      `${name} must be 1 to ${MAX_UPSTREAM_ID_BYTES} bytes of UTF-8, not ${bytes.length}`,
    );
  }
  return bytes;
}

function checkAdaptive(value: unknown): { min: number; backoff: number } {
  if (value === undefined || value === false) return { min: 0, backoff: 0 };
  const options: AdaptiveLimitOptions = value === true ? {} : value as AdaptiveLimitOptions;
  checkKnown<AdaptiveLimitOptions>("adaptive", options, ADAPTIVE);
  return {
    min: checkInteger("adaptive.min", options.min ?? 1, 1, MAX_IN_FLIGHT),
    backoff: checkNumber("adaptive.backoff", options.backoff ?? 0.5, 0.01, 0.99),
  };
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
