/**
 * The checks on the options of a pool, and the options as they cross.
 *
 * @module
 */
import { checkString, readArray } from "../arguments.ts";
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
import type {
  AcquireOptions,
  AdaptiveOptions,
  HealthOptions,
  PoolOptions,
  QueueOptions,
  TryAcquireOptions,
  UpstreamChanges,
  UpstreamOptions,
} from "./options.ts";

/**
 * How long a lease that was handed over may wait to be collected before the next gets it, in
 * milliseconds. It has to be far above what an event loop is held up by, or busy Workers would lose
 * their turns, and far below what people wait for; between the two nothing depends on it.
 */
const CLAIM_MS = 1000;
/** How long one waits in line, in milliseconds, where nothing else is said. */
export const QUEUE_TIMEOUT_MS = 30_000;

const POOL: Known<PoolOptions> = {
  name: true,
  upstreams: true,
  maxInFlight: true,
  queue: true,
  leaseTtlMs: true,
  health: true,
  adaptive: true,
  trackLeaks: true,
  onEvent: true,
};
const QUEUE: Known<QueueOptions> = { max: true, timeoutMs: true, agingMs: true };
const HEALTH: Known<HealthOptions> = {
  failures: true,
  failureRate: true,
  minResults: true,
  windowMs: true,
  cooldownMs: true,
  maxEjected: true,
};
const ADAPTIVE: Known<AdaptiveOptions> = { min: true, backoff: true };
const CHANGES: Known<UpstreamChanges> = { maxInFlight: true, weight: true, tier: true };
const UPSTREAM: Known<UpstreamOptions> = { id: true, ...CHANGES };
const TRY_ACQUIRE: Known<TryAcquireOptions> = { prefer: true };
/** What `acquire` can be asked for, and so all that is made of it. */
export const ACQUIRE: Known<AcquireOptions> = {
  ...TRY_ACQUIRE,
  signal: true,
  priority: true,
  timeoutMs: true,
};
const DRAIN: Known<DrainOptions> = { signal: true };

/** What those can be asked for who wait until something is drained. */
export interface DrainOptions {
  readonly signal?: AbortSignal;
}

/** The options of a pool as the native side takes them. */
export interface PackedPool {
  /** The name, or one that nobody else has. */
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
  checkKnown<QueueOptions>("queue", queue, QUEUE);
  checkKnown<HealthOptions>("health", health, HEALTH);
  const adaptive = checkAdaptive(options.adaptive);
  const leaseTtlMs = number("leaseTtlMs", options.leaseTtlMs ?? 600_000, 1, Infinity);
  const settings = new Float64Array(POOL_SETTINGS + POOL_UPSTREAM_SETTINGS * upstreams.length);
  const maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT;
  settings[POOL_SETTING_MAX_IN_FLIGHT] = checkMaxInFlight("maxInFlight", maxInFlight);
  settings[POOL_SETTING_QUEUE_MAX] = whole("queue.max", queue.max ?? 1000, 0, MAX_IN_FLIGHT);
  settings[POOL_SETTING_QUEUE_AGING_MS] = number("queue.agingMs", queue.agingMs ?? 5000, 0, 1e9);
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
      throw new RangeError(`upstreams[${i}].id is ${show(upstream.id)}, which another has`);
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

/** An upstream as the native side takes it. */
export interface PackedUpstream {
  readonly id: Uint8Array;
  readonly maxInFlight: number;
  readonly weight: number;
  readonly tier: number;
}

function packHealth(health: HealthOptions, settings: Float64Array): void {
  const failures = whole("health.failures", health.failures ?? 5, 0, 1e6);
  const failureRate = number("health.failureRate", health.failureRate ?? 0.5, 0, 1e6);
  const minResults = whole("health.minResults", health.minResults ?? 20, 1, 1e6);
  settings[POOL_SETTING_HEALTH_FAILURES] = failures;
  settings[POOL_SETTING_HEALTH_FAILURE_RATE] = failureRate;
  settings[POOL_SETTING_HEALTH_MIN_RESULTS] = minResults;
  const windowMs = number("health.windowMs", health.windowMs ?? 10_000, 10, 1e9);
  const cooldownMs = number("health.cooldownMs", health.cooldownMs ?? 30_000, 1, 1e9);
  const maxEjected = number("health.maxEjected", health.maxEjected ?? 0.5, 0, 1);
  settings[POOL_SETTING_HEALTH_WINDOW_MS] = windowMs;
  settings[POOL_SETTING_HEALTH_COOLDOWN_MS] = cooldownMs;
  settings[POOL_SETTING_HEALTH_MAX_EJECTED] = maxEjected;
}

/** Checks and packs one upstream. */
export function packUpstream(at: string, upstream: UpstreamOptions): PackedUpstream {
  checkKnown<UpstreamOptions>(at, upstream, UPSTREAM);
  const id = checkId(`${at}.id`, upstream.id);
  const maxInFlight = checkMaxInFlight(`${at}.maxInFlight`, upstream.maxInFlight);
  const weight = checkWeight(`${at}.weight`, upstream.weight ?? 1);
  return { id, maxInFlight, weight, tier: checkTier(`${at}.tier`, upstream.tier ?? 0) };
}

/** Checks changes of an upstream, all before the first is made: pairs of a setting and its value. */
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

/** Of the options of `tryAcquire` the upstream that is preferred. */
export function checkTryAcquire(options: TryAcquireOptions): string | undefined {
  checkKnown<TryAcquireOptions>("options", options, TRY_ACQUIRE);
  return checkPrefer(options);
}

/** The upstream that is preferred, of options that may name one. */
export function checkPrefer({ prefer }: TryAcquireOptions): string | undefined {
  if (prefer !== undefined) checkString("prefer", prefer);
  return prefer;
}

/** Of the options of a `drain` its signal. */
export function checkDrain(options: DrainOptions): AbortSignal | undefined {
  checkKnown<DrainOptions>("options", options, DRAIN);
  return checkSignal(options);
}

/** The signal of options that may have one. */
export function checkSignal({ signal }: DrainOptions): AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`signal must be an AbortSignal, not ${show(signal)}`);
  }
  return signal;
}

/** How a pool is watched from here, of its options. */
export function checkWatching(
  { onEvent, trackLeaks = false }: PoolOptions,
): { onEvent: PoolOptions["onEvent"]; trackLeaks: boolean } {
  if (onEvent !== undefined && typeof onEvent !== "function") {
    throw new TypeError(`onEvent must be a function, not ${show(onEvent)}`);
  }
  if (typeof trackLeaks !== "boolean") {
    throw new TypeError(`trackLeaks must be a boolean, not ${show(trackLeaks)}`);
  }
  return { onEvent, trackLeaks };
}

/** How many leases may be in use. */
export function checkMaxInFlight(name: string, value: unknown): number {
  return whole(name, value, 1, MAX_IN_FLIGHT);
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
  return whole(name, value, 0, MAX_IN_FLIGHT);
}

/** The UTF-8 of a name or an id, which has 1 to {@linkcode MAX_UPSTREAM_ID_BYTES} bytes. */
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
  const options: AdaptiveOptions = value === true ? {} : value as AdaptiveOptions;
  checkKnown<AdaptiveOptions>("adaptive", options, ADAPTIVE);
  return {
    min: whole("adaptive.min", options.min ?? 1, 1, MAX_IN_FLIGHT),
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
