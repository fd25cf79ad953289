/**
 * Applies the rate-limit headers of an upstream to a limiter.
 *
 * @module
 */
import { show } from "../errors.ts";
import type { LimiterKey } from "../limiter/key.ts";
import type { LimitNamesOf, Limits } from "../limiter/limit_definitions.ts";
import { RateLimiter } from "../limiter/rate_limiter.ts";
import { parseLimitHeaders, type UpstreamLimits } from "./upstream_limits.ts";

/**
 * A limit for each name in an upstream's headers, such as `{ requests: "rpm", tokens: "tpm" }`; for the names
 * see {@linkcode UpstreamLimits.limits}. Both should have the same period: a daily quota that follows a header
 * per minute would be used up for a day.
 */
export type LimitMapping<Name extends string = string> = Readonly<Record<string, Name>>;

/**
 * Lowers the remaining amounts of a key's limits to those that an upstream reports. Headers never raise an
 * amount, and headers that make no sense are ignored. Call it when the headers arrive, because they describe
 * that moment. O(headers).
 *
 * A limit of `Infinity` does not change, even for `Retry-After`. To follow an upstream, a limit needs a number.
 *
 * The amount that was removed comes back at the limit's own rate. A reset time says when *all* of a limit is
 * available again, and not when the next call fits. So it is used only to ignore limits that were reset since.
 *
 * `Retry-After` and `retry-after-ms` apply to all requests to the upstream. All rates in `mapping` admit nothing
 * until then, for at most a day, and refill at their own rate from then on. Quotas do not change, because they
 * only know the end of their window. `pool.fetch` obeys these headers by itself.
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
 * console.log(upstream.inspect("openai").tpm.remaining); // 1200, and 1.5 more each millisecond …
 * ```
 *
 * @param now The wall clock, in milliseconds since 1970. The `Date` of the response takes precedence.
 * @returns The content of the headers, whether mapped or not.
 * @throws {TypeError} If `limiter`, `headers` or `mapping` has a wrong type.
 * @throws {RangeError} If `mapping` has a limit that the limiter does not have, or one of concurrency.
 * @throws {SluiceError} `SLUICE_TOO_MANY_KEYS`, `SLUICE_DISPOSED`.
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
  // Less than a nanosecond is 0 to the limiter.
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
