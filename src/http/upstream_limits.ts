/**
 * A parser for the rate-limit headers of upstreams.
 *
 * @module
 */
import {
  type BareItem,
  isInnerList,
  type List,
  parseDictionary,
  parseList,
  Token,
} from "structured-headers";
import { show } from "../errors.ts";
import { amount, resetMs, withinYear } from "./field_values.ts";
import { retryAfterMs, sentAt } from "./retry_after.ts";

/** One limit, as the headers describe it. A value that is missing or makes no sense is undefined. */
export interface UpstreamLimit {
  /** The limit. */
  readonly limit: number | undefined;
  /** The remaining amount. */
  readonly remaining: number | undefined;
  /** The milliseconds until all of it is available again. */
  readonly resetMs: number | undefined;
}

/** The result of {@linkcode parseLimitHeaders}. */
export interface UpstreamLimits {
  /**
   * The limits by their names in the headers: `requests`, `tokens`, `input-tokens`, `tokens-minute`, or the name
   * of the policy for `RateLimit` fields. If several fields describe one name, the strictest applies.
   */
  readonly limits: ReadonlyMap<string, UpstreamLimit>;
  /** The wait that the response asks for, at most a day: see {@linkcode retryAfterMs}. */
  readonly retryAfterMs: number | undefined;
}

/** OpenAI and most others. Without a unit it is requests. Azure also sends `x-rate-limit-…`. */
const COMMON =
  /^(?<family>x-rate-?limit|ratelimit)-(?<which>limit|remaining|reset)(?:-(?<name>.+))?$/;
/** Anthropic, with the unit first. */
const ANTHROPIC = /^(?<family>anthropic-ratelimit)-(?<name>.+)-(?<which>limit|remaining|reset)$/;

/** The field values of one limit. */
interface Fields {
  readonly name: string;
  limit?: string;
  remaining?: string;
  reset?: string;
}

/**
 * Parses the limits in response headers. These are read:
 *
 * - `x-ratelimit-*`, with durations such as `6m0s`, seconds or dates, and `anthropic-ratelimit-*`;
 * - the IETF's `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11), and the form of
 *   drafts up to 7 (`RateLimit: limit=100, remaining=50, reset=5`, of requests);
 * - `retry-after` and `retry-after-ms`.
 *
 * Values are ignored if they are not plain numbers, negative, above 1e12, sent twice, or longer than 366 days. A
 * limit of 0 or less, which Azure has sent, is ignored as a whole. The content of headers never makes it throw.
 * O(length).
 *
 * @param now The wall clock, in milliseconds since 1970. The `Date` of the response takes precedence.
 */
export function parseLimitHeaders(headers: Headers, now: number = Date.now()): UpstreamLimits {
  if (!(headers instanceof Headers)) {
    throw new TypeError(`headers must be a Headers object, not ${show(headers)}`);
  }
  const sent = sentAt(headers, now);
  const limits = new Map<string, UpstreamLimit>();
  for (const { name, limit, remaining, reset } of group(headers)) {
    // Ignored: Azure's Responses API sends -1 for all values, and 0.
    if (limit !== undefined && Number(limit) <= 0) continue;
    add(limits, name, {
      limit: amount(limit),
      remaining: amount(remaining),
      resetMs: resetMs(reset, sent),
    });
  }
  for (const [name, said] of ietf(headers)) add(limits, name, said);
  const said = dictionary(headers.get("ratelimit"));
  if (said !== undefined) add(limits, "requests", said);
  return { limits, retryAfterMs: retryAfterMs(headers, now) };
}

/** The fields, grouped by limit. */
function group(headers: Headers): Iterable<Fields> {
  const groups = new Map<string, Fields>();
  headers.forEach((value, field) => {
    const found = (COMMON.exec(field) ?? ANTHROPIC.exec(field))?.groups;
    if (found === undefined) return;
    const { family, which, name = "requests" } = found;
    const id = `${family} ${name}`;
    const fields = groups.get(id) ?? { name };
    fields[which as "limit" | "remaining" | "reset"] = value;
    groups.set(id, fields);
  });
  return groups.values();
}

/** The items of `RateLimit` and `RateLimit-Policy`; malformed fields must be ignored. */
function* ietf(headers: Headers): Iterable<[string, UpstreamLimit]> {
  for (const [name, parameters] of items(headers.get("ratelimit-policy"))) {
    const limit = count(parameters.get("q"));
    if (limit !== undefined) yield [name, { limit, remaining: undefined, resetMs: undefined }];
  }
  for (const [name, parameters] of items(headers.get("ratelimit"))) {
    const remaining = count(parameters.get("r"));
    const seconds = count(parameters.get("t"));
    if (remaining === undefined) continue;
    const resetMs = seconds === undefined ? undefined : withinYear(seconds * 1000);
    yield [name, { limit: undefined, remaining, resetMs }];
  }
}

/** The name of a member of a dictionary. */
const MEMBER = /(?:^|,)[ \t]*(limit|remaining|reset)(?=[=;, \t]|$)/g;

/** `limit=100, remaining=50, reset=5`, the form of drafts up to 7. */
function dictionary(value: string | null): UpstreamLimit | undefined {
  const names = [...(value ?? "").matchAll(MEMBER)].map(([, name]) => name);
  // Sent twice: a dictionary keeps the last member of a name, which may be the less strict one.
  if (new Set(names).size < names.length) return undefined;
  let fields: ReadonlyMap<string, unknown>;
  try {
    fields = parseDictionary(value ?? "");
  } catch {
    return undefined;
  }
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) => {
    const item = fields.get(name);
    return Array.isArray(item) ? count(item[0] as BareItem) : undefined;
  });
  // Ignored, as above.
  if (remaining === undefined || limit === 0) return undefined;
  return {
    limit,
    remaining,
    resetMs: reset === undefined ? undefined : withinYear(reset * 1000),
  };
}

/** The named items of a list. Drafts before 9 have tokens as names. */
function* items(value: string | null): Iterable<[string, ReadonlyMap<string, BareItem>]> {
  let list: List;
  try {
    list = value === null ? [] : parseList(value);
  } catch {
    return;
  }
  for (const item of list) {
    if (isInnerList(item)) continue;
    const [name, parameters] = item;
    if (typeof name === "string" || name instanceof Token) yield [`${name}`, parameters];
  }
}

/** An integer from 0 to 1e12. */
function count(value: BareItem | undefined): number | undefined {
  return Number.isInteger(value) ? amount(`${value}`) : undefined;
}

/** Keeps the strictest values of a name. */
function add(limits: Map<string, UpstreamLimit>, name: string, said: UpstreamLimit): void {
  const known = limits.get(name);
  if (known === undefined && Object.values(said).every((value) => value === undefined)) return;
  limits.set(name, {
    limit: pick(Math.min, known?.limit, said.limit),
    remaining: pick(Math.min, known?.remaining, said.remaining),
    resetMs: pick(Math.max, known?.resetMs, said.resetMs),
  });
}

function pick(
  choose: (a: number, b: number) => number,
  a: number | undefined,
  b: number | undefined,
): number | undefined {
  return a === undefined ? b : b === undefined ? a : choose(a, b);
}
