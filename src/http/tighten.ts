/**
 * Following an upstream's limits, as it tells them in its headers.
 *
 * @module
 */
import { show } from "../errors.ts";
import type { LimiterKey } from "../limiter/key.ts";
import type { LimitNamesOf, Limits } from "../limiter/limit_definitions.ts";
import { RateLimiter } from "../limiter/rate_limiter.ts";
import { parseLimitHeaders, type UpstreamLimits } from "./upstream_limits.ts";

/**
 * Which limit follows which name of an upstream's headers, such as `{ requests: "rpm", tokens: "tpm" }`:
 * see {@linkcode UpstreamLimits.limits}. The limit should be of the same length as the upstream's: a
 * quota of a day that follows a header of a minute is used up for a day.
 */
export type LimitMapping<Name extends string = string> = Readonly<Record<string, Name>>;

/**
 * Makes the limits of a key as tight as an upstream says they are. No header can loosen a limit: one
 * that says more than is left here changes nothing, and neither does one that makes no sense. Call it
 * when the headers have come, as they tell of that moment. O(headers).
 *
 * A limit of `Infinity` has no less to leave: it stays as it is, also for `Retry-After`. One that is to follow
 * an upstream needs a number.
 *
 * What was taken away comes back at the limit's own rate. A reset tells when *everything* is there
 * again and not when the next call fits, so it is used only to pass over what is past: a limit that was
 * reset since.
 *
 * `Retry-After` and `retry-after-ms` are about all that is asked of the upstream: all rates in `mapping`
 * admit nothing until then, whatever is left of each by name, and from then on what comes back at their
 * own rate. A day at most. Quotas know no time but the end of their window and stay as they are.
 * `pool.fetch` obeys these headers by itself.
 *
 * @example
 * ```ts
 * import { rate, RateLimiter, tightenFrom } from "./mod.ts";
 *
 * const upstream = new RateLimiter({
 *   name: "upstream",
 *   limits: { tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }) },
 * });
 * const { headers } = new Response("", { headers: { "x-ratelimit-remaining-tokens": "1200" } });
 * tightenFrom(upstream, "openai", headers, { tokens: "tpm" });
 * console.log(upstream.inspect("openai").tpm.remaining); // 1200, and 1.5 more each millisecond
 * ```
 *
 * @param now The wall clock, in milliseconds since 1970; the response's own `Date` is preferred.
 * @returns What the headers say, whether mapped or not.
 * @throws {TypeError} `limiter`, `headers` or `mapping` is none.
 * @throws {RangeError} `mapping` names a limit that the limiter has not, or that is of concurrency.
 * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS` or `SLUICE_DISPOSED`, whatever the headers say.
 */
export function tightenFrom<L extends Limits>(
  limiter: RateLimiter<L>,
  key: string | LimiterKey,
  headers: Headers,
  mapping: LimitMapping<LimitNamesOf<NoInfer<L>>>,
  now: number = Date.now(),
): UpstreamLimits {
  if (!(limiter instanceof RateLimiter)) {
    throw new TypeError(`limiter must be a RateLimiter, not ${show(limiter)}`);
  }
  if (typeof mapping !== "object" || mapping === null) {
    throw new TypeError(
      `mapping must be an object such as { tokens: "tpm" }, not ${show(mapping)}`,
    );
  }
  const said = parseLimitHeaders(headers, now);
  const pairs = Object.entries<LimitNamesOf<L>>(mapping);
  for (const [name, limit] of pairs) checkLimit(limiter.limits, name, limit);
  for (const [name, limit] of pairs) {
    const upstream = said.limits.get(name);
    if (upstream?.remaining === undefined || upstream.resetMs === 0) continue;
    limiter.tighten(key, limit, upstream.remaining);
  }
  const { retryAfterMs = 0 } = said;
  // Shorter than a nanosecond is no time.
  if (retryAfterMs >= 1e-6) {
    for (const [, limit] of pairs) {
      if (limiter.limits[limit].kind === "rate") limiter.tighten(key, limit, 0, retryAfterMs);
    }
  }
  return said;
}

function checkLimit(limits: Limits, name: string, limit: string): void {
  const kind = Object.hasOwn(limits, limit) ? limits[limit]!.kind : undefined;
  if (kind === "rate" || kind === "quota") return;
  const names = Object.keys(limits).filter((name) => limits[name]!.kind !== "concurrency");
  throw new RangeError(
    `mapping.${name} must be a rate or quota of the limiter (${
      names.map((name) => show(name)).join(", ")
    }), not ${show(limit)}`,
  );
}
