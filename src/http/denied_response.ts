/**
 * A refusal as a response.
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
  /**
   * Whose clients are to understand the body. `"openai"` is problem details with an `error` beside them.
   * `"anthropic"` has `type: "error"`, which problem details cannot have, and so is plain JSON.
   *
   * @default "openai"
   */
  readonly errorForm?: "openai" | "anthropic";
}

/** Problem types of draft-ietf-httpapi-ratelimit-headers-11 §5. */
export type ProblemType = "quota-exceeded" | "temporary-reduced-capacity";

const OPTIONS = {
  fields: true,
  heldRetryAfterMs: true,
  problem: true,
  detail: true,
  errorForm: true,
} as const;

/** Status and title of a problem, and what Anthropic calls it. */
interface Problem {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly anthropic: string;
}

const PROBLEMS: Readonly<Record<ProblemType, Problem>> = {
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
 * Of all statuses that say that the request itself is what is wrong, the one that no client repeats: the
 * SDKs of OpenAI and Anthropic and the AI SDK repeat 408, 409, 429 and from 500 on, and others more.
 */
const NEVER_FITS: Problem = {
  type: "about:blank",
  status: 400,
  title: "Bad Request",
  anthropic: "invalid_request_error",
};
/** The SDKs of OpenAI and Anthropic wait no longer for a `Retry-After`, and then ask sooner instead. */
const LONGEST_RETRY_MS = 60_000;

/**
 * A refusal as a response: `application/problem+json` (RFC 9457) with the limit's name in
 * `violated-policies` and an `error` as OpenAI's API has it (`code: "rate_limit_exceeded"`), and the
 * headers of {@linkcode limitHeaders} with `Retry-After` (seconds, at least 1) and `retry-after-ms`.
 *
 * A request that can never fit has neither of the two, as no waiting helps: it is a 400, which no client
 * sends again, and says `"never-fits": true`. It has `x-should-retry: false`, and so has a refusal for more
 * than a minute: the SDKs of OpenAI and Anthropic do not wait for that long, and without it ask again
 * after a second.
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

/** OpenAI has the unit of the limit as the type. */
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
