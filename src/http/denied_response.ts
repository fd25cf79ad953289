/**
 * HTTP responses for denied requests: problem details (RFC 9457) with rate-limit headers.
 *
 * @module
 */
import { checkString } from "../arguments.ts";
import { show } from "../errors.ts";
import { checkKnown } from "../known_options.ts";
import type { Denied } from "../limiter/decision.ts";
import { formatDuration } from "./field_values.ts";
import {
  checkDenied,
  type LimitedPart,
  limitHeaders,
  type LimitHeadersOptions,
  policyName,
  waitMs,
} from "./limit_headers.ts";

/** Options of {@linkcode deniedResponse}. */
export interface DeniedResponseOptions extends Omit<LimitHeadersOptions, "denied"> {
  /**
   * The reason: the client has used up its own quota (429), or the capacity for all clients is reduced for now
   * (503), as when the limit of an upstream denies the request.
   *
   * @default "quota-exceeded"
   */
  readonly problem?: DeniedProblemType | undefined;
  /**
   * A sentence for people.
   *
   * @default One that names the limit and the wait.
   */
  readonly detail?: string | undefined;
  /**
   * The API whose clients read the body. `"openai"` is problem details with an additional `error`. `"anthropic"`
   * has `type: "error"`, which problem details cannot have, so it is plain JSON.
   *
   * @default "openai"
   */
  readonly errorForm?: "openai" | "anthropic" | undefined;
}

/** Problem types of draft-ietf-httpapi-ratelimit-headers-11 §5. */
export type DeniedProblemType = "quota-exceeded" | "temporary-reduced-capacity";

const OPTIONS = {
  fields: true,
  heldRetryAfterMs: true,
  problem: true,
  detail: true,
  errorForm: true,
} as const;

/** The parts of a problem, and its type in Anthropic's API. */
interface Problem {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly anthropic: string;
}

const PROBLEMS: Readonly<Record<DeniedProblemType, Problem>> = {
  "quota-exceeded": {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    status: 429,
    title: "Request cannot be satisfied as assigned quota has been exceeded",
    anthropic: "rate_limit_error",
  },
  "temporary-reduced-capacity": {
    type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
    status: 503,
    title: "Request cannot be satisfied due to temporary server capacity constraints",
    anthropic: "overloaded_error",
  },
};
/**
 * The problem of a request that can never fit. 400 is the status for wrong requests that no client repeats: the
 * SDKs of OpenAI and Anthropic and the AI SDK repeat 408, 409, 429, 500 and above, and others repeat more.
 */
const NEVER_FITS: Problem = {
  type: "about:blank",
  status: 400,
  title: "Bad Request",
  anthropic: "invalid_request_error",
};
/** The SDKs of OpenAI and Anthropic ignore a longer `Retry-After`, and repeat the request earlier. */
const LONGEST_RETRY_MS = 60_000;

/**
 * The response for a denied request: `application/problem+json` (RFC 9457) with the name of the limit in
 * `violated-policies` and an `error` as in OpenAI's API (`code: "rate_limit_exceeded"`). It has the headers of
 * {@linkcode limitHeaders}, with `Retry-After` (seconds, at least 1) and `retry-after-ms`.
 *
 * For a request that can never fit, waiting does not help. Its response has neither of the two headers, the
 * status 400, which no client repeats, and `"never-fits": true`. It also has `x-should-retry: false`, as has a
 * denial for more than a minute: without it, the SDKs of OpenAI and Anthropic repeat after a second.
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
 * @param parts The keys of the request, as for {@linkcode limitHeaders}. `[]` adds no headers about them.
 */
export function deniedResponse(
  denied: Denied,
  parts: LimitedPart | readonly LimitedPart[],
  options: DeniedResponseOptions = {},
): Response {
  checkDenied("denied", denied);
  checkKnown<DeniedResponseOptions>("the options of deniedResponse()", options, OPTIONS);
  const { problem = "quota-exceeded", errorForm = "openai", detail, ...headerOptions } = options;
  if (!Object.hasOwn(PROBLEMS, problem)) {
    const names = Object.keys(PROBLEMS).map((name) => show(name)).join(" or ");
    throw new RangeError(`options.problem must be ${names}, not ${show(problem)}`);
  }
  if (errorForm !== "openai" && errorForm !== "anthropic") {
    throw new RangeError(
      `options.errorForm must be "openai" or "anthropic", not ${show(errorForm)}`,
    );
  }
  if (detail !== undefined) checkString("options.detail", detail);
  const { type, status, title, anthropic } = denied.neverFits ? NEVER_FITS : PROBLEMS[problem];
  const message = detail ?? detailOf(denied, headerOptions);
  const headers = limitHeaders(parts, { ...headerOptions, denied });
  // RFC 6585 §4: a 429 must not be stored.
  headers.set("cache-control", "no-store");
  const wait = waitMs(denied, headerOptions);
  if (wait === undefined || wait > LONGEST_RETRY_MS) headers.set("x-should-retry", "false");
  const rest = {
    title,
    status,
    detail: message,
    "violated-policies": [policyName(denied, parts)],
    ...(denied.neverFits ? { "never-fits": true } : {}),
  };
  const isOpenAi = errorForm === "openai";
  headers.set("content-type", isOpenAi ? "application/problem+json" : "application/json");
  const body = isOpenAi
    ? { type, ...rest, error: openAiError(message, denied, parts) }
    : { type: "error", error: { type: anthropic, message }, ...rest };
  return new Response(JSON.stringify(body), { status, headers });
}

/** The error as in OpenAI's API, whose type is the unit of the limit. */
function openAiError(
  message: string,
  { limiter, limit }: Denied,
  parts: LimitedPart | readonly LimitedPart[],
): object {
  const all: readonly LimitedPart[] = Array.isArray(parts) ? parts : [parts];
  const part = all.find((part) => part.limiter.name === limiter);
  const type = part?.limiter.limits[limit]?.unit ?? "requests";
  return { message, type, param: null, code: "rate_limit_exceeded" };
}

function detailOf(denied: Denied, options: Pick<LimitHeadersOptions, "heldRetryAfterMs">): string {
  const limit = show(denied.limit);
  const wait = waitMs(denied, options);
  if (wait === undefined) {
    return `The request costs more than the limit ${limit} ever allows: waiting does not help`;
  }
  return denied.reason === "held"
    ? `Open requests hold all of the limit ${limit}: try again when one has ended`
    : `The request does not fit the limit ${limit} now: try again in ${formatDuration(wait)}`;
}
