/**
 * Response headers that tell a client how it stands.
 *
 * @module
 */
import { type BareItem, type Item, serializeList } from "structured-headers";
import { isArray, readArray } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown } from "../known_options.ts";
import { type Denied, HELD_RETRY_MS, type LimitState } from "../limiter/decision.ts";
import type { LimitDefinition } from "../limiter/limit_definitions.ts";
import { RateLimiter } from "../limiter/rate_limiter.ts";
import type { LimiterPart } from "../limiter/together.ts";
import { isKind } from "../typed_array.ts";
import { formatDuration, LONGEST_MS } from "./field_values.ts";

/** One key of one limiter, and what a client knows it by. */
export interface LimitedPart extends LimiterPart {
  /**
   * The key as clients may see it: the `pk` of `RateLimit` fields, which is left out if this is. Not a
   * secret such as an API key.
   */
  readonly partitionKey?: string | Uint8Array<ArrayBuffer>;
}

/** What {@linkcode limitHeaders} can be asked for. */
export interface LimitHeadersOptions {
  /** `ietf`: `RateLimit` and `RateLimit-Policy`. `openai`: `x-ratelimit-*`. @default Both. */
  readonly fields?: readonly ("ietf" | "openai")[];
  /** A refusal: adds `Retry-After` and `retry-after-ms`, unless the request can never fit. */
  readonly denied?: Denied;
  /**
   * What to tell a client to wait, in milliseconds, where nobody knows: when open reservations hold what
   * is missing. @default 1000
   */
  readonly heldRetryAfterMs?: number;
}

/** One limit of a key: what it is called, what it is, and how it stands. */
interface Standing {
  readonly name: string;
  readonly limit: LimitDefinition;
  readonly state: LimitState;
  readonly partitionKey: string | Uint8Array<ArrayBuffer> | undefined;
}

const OPTIONS = { fields: true, denied: true, heldRetryAfterMs: true } as const;
/** The windows of a calendar that are all equally long, where there is no daylight saving. */
const WINDOW_SECONDS: Readonly<Record<string, number>> = { day: 86_400, week: 604_800 };
const UNITS = ["requests", "tokens"];
/** What an integer of structured fields can be (RFC 9651 §3.3.1). */
const MOST_INTEGER = 999_999_999_999_999;

/**
 * Headers that tell a client how its keys stand now. O(limits), one crossing for each part.
 *
 * - `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), an item for each limit
 *   by its name, or by `limiter/limit` if there are several parts. A rate has its `limit` and period as
 *   `q` and `w`; `t` is how long what is left lasts at that rate, so that a client that spreads `r` over
 *   `t` goes as fast as the limit and no faster (§8.5). A quota's `t` is the end of its window; concurrency has no window.
 *   `qu` is the limit's unit, which for others than requests and concurrency no registry has yet.
 * - `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI has them: of the limit of that unit
 *   that has least left, the most that can be taken at once, what is left, and the time until all is back.
 *
 * Amounts are rounded down, times up; above 999,999,999,999,999 they are said to be that. A limit of
 * `Infinity` is not told.
 *
 * @throws {TypeError} An option is not known or has a wrong type, `options.denied` is no refusal, or a
 * part has no limiter or a `partitionKey` that is neither text nor bytes.
 * @throws {RangeError} An option has a wrong value.
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

/** Refuses what is no refusal: what is allowed has no wait that a header could tell. */
export function checkDenied(name: string, denied: unknown): asserts denied is Denied {
  if ((denied as Partial<Denied> | null | undefined)?.allowed !== false) {
    throw new TypeError(`${name} must be a refusal, not ${show(denied)}`);
  }
}

/** The fields that are asked for. */
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

/** What the limit that refused is called in the headers of `parts`. */
export function policyName(
  { limiter, limit }: Pick<Denied, "limiter" | "limit">,
  parts: LimitedPart | readonly LimitedPart[],
): string {
  return ascii(Array.isArray(parts) && parts.length > 1 ? `${limiter}/${limit}` : limit);
}

/** How long a client should wait, in milliseconds; undefined if no waiting helps. */
export function waitMs(
  { reason, fitsAfterMs }: Denied,
  { heldRetryAfterMs = HELD_RETRY_MS }: Pick<LimitHeadersOptions, "heldRetryAfterMs">,
): number | undefined {
  if (typeof heldRetryAfterMs !== "number") {
    throw new TypeError(
      `options.heldRetryAfterMs must be a number, not ${show(heldRetryAfterMs)}`,
    );
  }
  if (!(heldRetryAfterMs > 0 && heldRetryAfterMs <= LONGEST_MS)) {
    throw new RangeError(
      `options.heldRetryAfterMs must be above 0 and at most 366 days, not ${heldRetryAfterMs}`,
    );
  }
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
    // The key's own limits may be others than the limiter's, over another period even: the rate is
    // told over the limiter's period, or over a longer one in which there is at least one unit.
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
  // Months have no one length, and neither have days where clocks are changed.
  const w = limit.kind === "rate"
    ? seconds(limit.perMs)
    : typeof limit.per === "number"
    ? seconds(limit.per)
    : limit.timeZone === undefined
    ? WINDOW_SECONDS[limit.per]
    : undefined;
  return [name, parameters({ q, qu: limit.unit, w, pk: partitionKey })];
}

/** @param wait What `Retry-After` says of this limit; it should not be before the end of `t`. */
function limitItem({ name, state, partitionKey }: Standing, wait: number | undefined): Item {
  const { kind, capacity, remaining, used, outstanding, resetMs, refillMs } = state;
  let t: number | undefined;
  if (kind === "quota") t = seconds(resetMs);
  if (kind === "rate" && capacity > 0) {
    // How long what is left lasts at the limit's own rate, or until there is one again.
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

/** Of the rates and quotas of a unit, the one that has least left; of those, the longest. */
function leastLeft(standings: readonly Standing[], unit: string): LimitState | undefined {
  return standings
    .map(({ state }) => state)
    .filter((state) => state.unit === unit && state.kind !== "concurrency")
    .sort((a, b) => a.remaining - b.remaining || b.resetMs - a.resetMs)[0];
}

/** Whole seconds, rounded up, at least 1; a nanosecond more is an error of rounding. */
function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000 - 1e-9));
}

/** A name as a string of structured fields, which is printable ASCII. */
function ascii(name: string): string {
  return name.toWellFormed().replace(/[^ -~]/gu, encodeURIComponent);
}
