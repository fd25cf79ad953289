/**
 * What the headers of an upstream's response say about its limits.
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

/** What headers say about one limit. What they do not say, or say in a way that makes no sense, is undefined. */
export interface UpstreamLimit {
  /** The most that there is. */
  readonly limit: number | undefined;
  /** What is left. */
  readonly remaining: number | undefined;
  /** Milliseconds until all of it is there again. */
  readonly resetMs: number | undefined;
}

/** What {@linkcode parseLimitHeaders} reads. */
export interface UpstreamLimits {
  /**
   * By the name that the headers have for it: `requests`, `tokens`, `input-tokens`, `tokens-minute`, or
   * of `RateLimit` fields the policy's name. If several fields tell of one name, the strictest counts.
   */
  readonly limits: ReadonlyMap<string, UpstreamLimit>;
  /** How long the response asks to be left alone, at most a day. */
  readonly retryAfterMs: number | undefined;
}

/** OpenAI and most others; without a unit it is requests. Azure has sent `x-rate-limit-…` as well. */
const COMMON =
  /^(?<family>x-rate-?limit|ratelimit)-(?<which>limit|remaining|reset)(?:-(?<name>.+))?$/;
/** Here the unit comes first. */
const ANTHROPIC = /^(?<family>anthropic-ratelimit)-(?<name>.+)-(?<which>limit|remaining|reset)$/;

/** The fields of one limit, as they came. */
interface Fields {
  readonly name: string;
  limit?: string;
  remaining?: string;
  reset?: string;
}

/**
 * Reads the limits in response headers: `x-ratelimit-*` with durations such as `6m0s`, seconds or times,
 * `anthropic-ratelimit-*`, the IETF's `RateLimit` and `RateLimit-Policy`
 * (draft-ietf-httpapi-ratelimit-headers-11), and as the draft had it up to 7
 * (`RateLimit: limit=100, remaining=50, reset=5`, which is of requests), `retry-after` and
 * `retry-after-ms`. Values that are no
 * plain numbers, negative, above 1e12, sent twice, or longer than 366 days are passed over, and so is
 * all about a limit that is said to be 0 or negative, as Azure has done. Never throws for what is in
 * the headers. O(length).
 *
 * @param now The wall clock, in milliseconds since 1970; the response's own `Date` is preferred.
 */
export function parseLimitHeaders(headers: Headers, now: number = Date.now()): UpstreamLimits {
  if (!(headers instanceof Headers)) {
    throw new TypeError(`headers must be a Headers object, not ${show(headers)}`);
  }
  const sent = sentAt(headers, now);
  const limits = new Map<string, UpstreamLimit>();
  for (const { name, limit, remaining, reset } of group(headers)) {
    // Not believed: Azure's Responses API sends -1 for all, and 0.
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

/** The fields that belong together. */
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

/** A member of a dictionary, by its name. */
const MEMBER = /(?:^|,)[ \t]*(limit|remaining|reset)(?=[=;, \t]|$)/g;

/** `limit=100, remaining=50, reset=5`, as the draft had it up to 7. */
function dictionary(value: string | null): UpstreamLimit | undefined {
  const names = [...(value ?? "").matchAll(MEMBER)].map(([, name]) => name);
  // Sent twice: of members of one name a dictionary keeps the last, which may be the looser.
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
  // Not believed, as above.
  if (remaining === undefined || limit === 0) return undefined;
  return {
    limit,
    remaining,
    resetMs: reset === undefined ? undefined : withinYear(reset * 1000),
  };
}

/** The named items of a list. Drafts before the ninth had tokens for names. */
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

/** Keeps the strictest of what is said of a name. */
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
