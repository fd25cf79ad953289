/**
 * Rate-limit response headers: `RateLimit` and `RateLimit-Policy` of the IETF, and `x-ratelimit-*` of OpenAI.
 *
 * @module
 */
import { type BareItem, type Item, serializeList } from "structured-headers";
import { checkPeriodMs, isArray, readArray } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown } from "../known_options.ts";
import { type Denied, HELD_RETRY_MS, type LimitState } from "../limiter/decision.ts";
import type { LimitDefinition } from "../limiter/limit_definitions.ts";
import { RateLimiter } from "../limiter/rate_limiter.ts";
import type { LimiterPart } from "../limiter/together.ts";
import { isKind } from "../typed_array.ts";
import { formatDuration } from "./field_values.ts";

/** One key of one limiter, and its name for clients. */
export interface LimitedPart extends LimiterPart {
  /**
   * The key as clients see it, in the parameter `pk` of `RateLimit` fields. Without it they have no `pk`. Do not
   * pass a secret such as an API key.
   */
  readonly partitionKey?: string | Uint8Array<ArrayBuffer> | undefined;
}

/** Options of {@linkcode limitHeaders}. */
export interface LimitHeadersOptions {
  /**
   * Which headers to make: `ietf` is `RateLimit` and `RateLimit-Policy`, `openai` is `x-ratelimit-*`.
   *
   * @default Both.
   */
  readonly fields?: readonly ("ietf" | "openai")[] | undefined;
  /** A denial. It adds `Retry-After` and `retry-after-ms`, unless the request can never fit. */
  readonly denied?: Denied | undefined;
  /**
   * The wait for a client, in milliseconds, if it cannot be computed because open reservations hold the amount.
   *
   * @default 1000
   */
  readonly heldRetryAfterMs?: number | undefined;
}

/** One limit of a key: its name, its definition and its state. */
interface Standing {
  readonly name: string;
  readonly limit: LimitDefinition;
  readonly state: LimitState;
  readonly partitionKey: string | Uint8Array<ArrayBuffer> | undefined;
}

const OPTIONS = { fields: true, denied: true, heldRetryAfterMs: true } as const;
/** The calendar windows of constant length, which they have without daylight saving time. */
const WINDOW_SECONDS: Readonly<Record<string, number>> = { day: 86_400, week: 604_800 };
const UNITS = ["requests", "tokens"];
/** The largest integer of structured fields (RFC 9651 §3.3.1). */
const MOST_INTEGER = 999_999_999_999_999;

/**
 * Headers with the current state of a client's keys. O(limits), one crossing per part.
 *
 * - `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11) have an item per limit, with
 *   its name, or `limiter/limit` if there are several parts. A rate has its `limit` and period as `q` and `w`.
 *   Its `t` is the time in which the remaining amount is used up at that rate, so a client that spreads `r` over
 *   `t` is as fast as the limit and no faster (§8.5). The `t` of a quota is the end of its window. Concurrency
 *   has no window. `qu` is the unit of the limit; no registry has units other than requests and concurrency yet.
 * - `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` are those of OpenAI. They describe the limit of that
 *   unit with the least remaining: the most that can be taken at once, the remaining amount, and the time until
 *   all of it is available again.
 *
 * Amounts are rounded down, times up, and both are capped at 999,999,999,999,999. A limit of `Infinity` is left
 * out.
 *
 * @throws {TypeError} If an option is unknown or has a wrong type, `options.denied` is not a denial, or a part
 * has no limiter or a `partitionKey` that is neither a string nor bytes.
 * @throws {RangeError} If an option has a wrong value.
 */
export function limitHeaders(
  parts: LimitedPart | readonly LimitedPart[],
  options: LimitHeadersOptions = {},
): Headers {
  checkKnown<LimitHeadersOptions>("the options of limitHeaders()", options, OPTIONS);
  const { denied } = options;
  const fields = fieldsOf(options);
  if (denied !== undefined) checkDenied("options.denied", denied);
  const standings = standingsOf(parts);
  const headers = new Headers();
  const wait = denied === undefined ? undefined : waitMs(denied, options);
  if (wait !== undefined) {
    headers.set("retry-after", `${seconds(wait)}`);
    headers.set("retry-after-ms", `${Math.max(1, Math.ceil(wait))}`);
  }
  if (fields.includes("ietf") && standings.length > 0) {
    const violated = denied === undefined ? undefined : policyName(denied, parts);
    headers.set("ratelimit-policy", serializeList(standings.map(policyItem)));
    headers.set(
      "ratelimit",
      serializeList(
        standings.map((one) => limitItem(one, one.name === violated ? wait : undefined)),
      ),
    );
  }
  if (fields.includes("openai")) {
    for (const unit of UNITS) {
      const least = leastLeft(standings, unit);
      if (least === undefined) continue;
      headers.set(`x-ratelimit-limit-${unit}`, `${Math.floor(least.capacity)}`);
      headers.set(`x-ratelimit-remaining-${unit}`, `${Math.floor(least.remaining)}`);
      headers.set(`x-ratelimit-reset-${unit}`, formatDuration(least.resetMs));
    }
  }
  return headers;
}

/** Refuses a decision that is not a denial. */
export function checkDenied(name: string, denied: unknown): asserts denied is Denied {
  if ((denied as Partial<Denied> | null | undefined)?.allowed !== false) {
    throw new TypeError(`${name} must be a denial, not ${show(denied)}`);
  }
}

/** The option `fields`. */
function fieldsOf({ fields = ["ietf", "openai"] }: LimitHeadersOptions): readonly string[] {
  if (!isArray(fields)) {
    throw new TypeError(
      `options.fields must be an array of "ietf" and "openai", not ${show(fields)}`,
    );
  }
  return readArray("options.fields", fields, (field, i) => {
    if (field === "ietf" || field === "openai") return field;
    throw new RangeError(`options.fields[${i}] must be "ietf" or "openai", not ${show(field)}`);
  });
}

/** The name of the limit that denied the request, in the headers of `parts`. */
export function policyName(
  { limiter, limit }: Pick<Denied, "limiter" | "limit">,
  parts: LimitedPart | readonly LimitedPart[],
): string {
  return ascii(Array.isArray(parts) && parts.length > 1 ? `${limiter}/${limit}` : limit);
}

/** How long a client should wait, in milliseconds. Undefined if waiting does not help. */
export function waitMs(
  { reason, fitsAfterMs }: Denied,
  { heldRetryAfterMs = HELD_RETRY_MS }: Pick<LimitHeadersOptions, "heldRetryAfterMs">,
): number | undefined {
  checkPeriodMs("options.heldRetryAfterMs", heldRetryAfterMs);
  return reason === "held" ? heldRetryAfterMs : fitsAfterMs;
}

function standingsOf(parts: LimitedPart | readonly LimitedPart[]): Standing[] {
  const all: readonly LimitedPart[] = Array.isArray(parts) ? parts : [parts];
  return all.flatMap((part) => {
    const limiter: unknown = part?.limiter;
    if (!(limiter instanceof RateLimiter)) {
      throw new TypeError(`parts must have a RateLimiter as limiter, not ${show(limiter)}`);
    }
    const { partitionKey } = part;
    if (
      partitionKey !== undefined && typeof partitionKey !== "string" &&
      !isKind("Uint8Array", partitionKey)
    ) {
      throw new TypeError(
        `partitionKey must be a string or a Uint8Array, not ${show(partitionKey)}`,
      );
    }
    const states = Object.entries(limiter.inspect(part.key));
    return states.filter(([, { capacity }]) => capacity !== Infinity).map(([limit, state]) => ({
      name: policyName({ limiter: limiter.name, limit }, parts),
      limit: limiter.limits[limit]!,
      state,
      partitionKey,
    }));
  });
}

function policyItem({ name, limit, state, partitionKey }: Standing): Item {
  const { capacity, refillMs } = state;
  if (limit.kind === "rate" && capacity > 0 && refillMs > 0) {
    // A key may have limits of its own, even with another period. The rate is stated for the limiter's period,
    // or for a longer one that has at least one unit.
    const unitsPerSecond = capacity / refillMs * 1000;
    const w = Math.max(seconds(limit.perMs), Math.ceil(1 / unitsPerSecond - 1e-6));
    const q = capacity * w * 1000 / refillMs;
    // `refillMs` is whole nanoseconds.
    const near = Math.round(q);
    const whole = Math.abs(near - q) <= near * 1e-6 ? near : Math.floor(q);
    return [name, parameters({ q: whole, qu: limit.unit, w, pk: partitionKey })];
  }
  const q = Math.floor(capacity);
  if (limit.kind === "concurrency") {
    const qu = limit.unit === "concurrent" ? "concurrent-requests" : limit.unit;
    return [name, parameters({ q, qu, pk: partitionKey })];
  }
  // Months differ in length, and so do days with daylight saving time.
  const w = limit.kind === "rate"
    ? seconds(limit.perMs)
    : typeof limit.per === "number"
    ? seconds(limit.per)
    : limit.timeZone === undefined
    ? WINDOW_SECONDS[limit.per]
    : undefined;
  return [name, parameters({ q, qu: limit.unit, w, pk: partitionKey })];
}

/** @param wait The `Retry-After` of this limit. It should not be before the end of `t`. */
function limitItem({ name, state, partitionKey }: Standing, wait: number | undefined): Item {
  const { kind, capacity, remaining, used, outstanding, resetMs, refillMs } = state;
  let t: number | undefined;
  if (kind === "quota") t = seconds(resetMs);
  if (kind === "rate" && capacity > 0) {
    // The time in which the rest is used up at the limit's rate, or until one unit is available.
    const units = Math.max(Math.floor(remaining), used + outstanding + 1 - capacity);
    t = seconds(units * refillMs / capacity);
  }
  if (t !== undefined && wait !== undefined) t = Math.min(t, seconds(wait));
  return [name, parameters({ r: Math.floor(remaining), t, pk: partitionKey })];
}

function parameters(
  { qu, pk, ...rest }: Readonly<Record<string, BareItem | undefined>>,
): Map<string, BareItem> {
  const all = new Map<string, BareItem>();
  for (const [key, value] of Object.entries(rest)) {
    if (value !== undefined) {
      all.set(key, typeof value === "number" ? Math.min(value, MOST_INTEGER) : value);
    }
  }
  if (typeof qu === "string" && qu !== "requests") all.set("qu", ascii(qu));
  if (pk !== undefined) all.set("pk", typeof pk === "string" ? new TextEncoder().encode(pk) : pk);
  return all;
}

/** The rate or quota of a unit with the least remaining; of several, the one that resets last. */
function leastLeft(standings: readonly Standing[], unit: string): LimitState | undefined {
  return standings
    .map(({ state }) => state)
    .filter((state) => state.unit === unit && state.kind !== "concurrency")
    .sort((a, b) => a.remaining - b.remaining || b.resetMs - a.resetMs)[0];
}

/** Whole seconds, rounded up, at least 1. An excess of a nanosecond is a rounding error. */
function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000 - 1e-9));
}

/** A name as a string of structured fields, which has printable ASCII only. */
function ascii(name: string): string {
  return name.toWellFormed().replace(/[^ -~]/gu, encodeURIComponent);
}
