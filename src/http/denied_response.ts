/**
 * A refusal as a response.
 *
 * @module
 */
import { show } from "../errors.ts";
import type { Denied } from "../limiter/decision.ts";
import { formatDuration } from "./field_values.ts";
import {
  type LimitedPart,
  limitHeaders,
  type LimitHeadersOptions,
  policyName,
  waitMs,
} from "./limit_headers.ts";

/** What {@linkcode deniedResponse} can be asked for. */
export interface DeniedResponseOptions extends Omit<LimitHeadersOptions, "denied"> {
  /**
   * Why: the client has used up what is its own (429), or there is less for all at the moment (503), such
   * as when an upstream's limit is what refuses.
   *
   * @default "quota-exceeded"
   */
  readonly problem?: ProblemType;
  /** A sentence for people, in place of one that names the limit and the wait. */
  readonly detail?: string;
}

/** Problem types of draft-ietf-httpapi-ratelimit-headers-11 §5. */
export type ProblemType = "quota-exceeded" | "temporary-reduced-capacity";

const PROBLEMS: Readonly<Record<ProblemType, { status: number; title: string }>> = {
  "quota-exceeded": {
    status: 429,
    title: "Request cannot be satisfied as assigned quota has been exceeded",
  },
  "temporary-reduced-capacity": {
    status: 503,
    title: "Request cannot be satisfied due to temporary server capacity constraints",
  },
};

/**
 * A refusal as a response: `application/problem+json` (RFC 9457) with the limit's name in
 * `violated-policies`, and the headers of {@linkcode limitHeaders} with `Retry-After` (seconds, at least
 * 1) and `retry-after-ms`.
 *
 * A request that can never fit has neither, as no waiting helps: it says `"never-fits": true`, and
 * `x-should-retry: false`, by which the SDKs of OpenAI and Anthropic know not to send it again.
 *
 * @example
 * ```ts
 * import { deniedResponse, rate, RateLimiter } from "./mod.ts";
 *
 * const limiter = new RateLimiter({ name: "tenants", limits: { rps: rate({ limit: 1, per: "second" }) } });
 * function handle(_request: Request): Response {
 *   const decision = limiter.take("tenant-42");
 *   if (!decision.allowed) return deniedResponse(decision, { limiter, key: "tenant-42" });
 *   return new Response("Hello");
 * }
 * handle(new Request("http://localhost")); // 200
 * console.log(handle(new Request("http://localhost")).headers.get("retry-after")); // 1
 * ```
 *
 * @param parts The keys that were asked, as for {@linkcode limitHeaders}; `[]` to tell nothing of them.
 */
export function deniedResponse(
  denied: Denied,
  parts: LimitedPart | readonly LimitedPart[],
  options: DeniedResponseOptions = {},
): Response {
  if ((denied as Partial<Denied> | null | undefined)?.allowed !== false) {
    throw new TypeError(`denied must be a refusal, not ${show(denied)}`);
  }
  const { problem = "quota-exceeded" } = options;
  if (!Object.hasOwn(PROBLEMS, problem)) {
    const names = Object.keys(PROBLEMS).map((name) => show(name)).join(" or ");
    throw new RangeError(`options.problem must be ${names}, not ${show(problem)}`);
  }
  const { status, title } = PROBLEMS[problem];
  const policy = policyName(denied, parts);
  const headers = limitHeaders(parts, { ...options, denied });
  headers.set("content-type", "application/problem+json");
  // RFC 6585 §4: a 429 must not be stored.
  headers.set("cache-control", "no-store");
  if (denied.neverFits) headers.set("x-should-retry", "false");
  const body = {
    type: `https://iana.org/assignments/http-problem-types#${problem}`,
    title,
    status,
    detail: options.detail ?? detailOf(denied, options),
    "violated-policies": [policy],
    ...(denied.neverFits ? { "never-fits": true } : {}),
  };
  return new Response(JSON.stringify(body), { status, headers });
}

function detailOf(denied: Denied, options: DeniedResponseOptions): string {
  const limit = show(denied.limit);
  if (denied.neverFits) {
    return `The request costs more than the limit ${limit} ever allows: waiting does not help`;
  }
  const wait = formatDuration(waitMs(denied, options)!);
  return denied.retryAfterMs === Infinity
    ? `Open requests hold all of the limit ${limit}: try again when one has ended`
    : `The request does not fit the limit ${limit} now: try again in ${wait}`;
}
