/**
 * Rate limits in HTTP headers: headers for clients, and parsers for the headers of upstreams.
 *
 * @example
 * ```ts
 * import { retryAfterMs } from "sluice/http";
 *
 * console.log(retryAfterMs(new Headers({ "retry-after": "2" }))); // 2000
 * ```
 *
 * @module
 */
export {
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorDetails,
  type SluiceErrorInit,
} from "../errors.ts";
export type { StatusCode } from "../ffi/symbols.gen.ts";
export {
  type DeniedProblemType,
  deniedResponse,
  type DeniedResponseOptions,
} from "./denied_response.ts";
export { type LimitedPart, limitHeaders, type LimitHeadersOptions } from "./limit_headers.ts";
export { retryAfterMs } from "./retry_after.ts";
export { type LimitMapping, tightenFrom } from "./tighten.ts";
export { parseLimitHeaders, type UpstreamLimit, type UpstreamLimits } from "./upstream_limits.ts";
