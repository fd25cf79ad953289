/**
 * What LLM gateways on Bun and Deno spend their time on: exact token counts, rate limits, and the
 * bookkeeping of upstream connections.
 *
 * One Rust library with a C ABI, loaded by `bun:ffi` or `Deno.dlopen`; its state is shared by all
 * Workers of a process. Importing this module opens nothing: the library loads on first use.
 *
 * @example
 * ```ts
 * import { rate, RateLimiter, Tokenizer, UpstreamPool } from "./mod.ts";
 *
 * const tokenizer = Tokenizer.forModel("gpt-5");
 * const limiter = new RateLimiter({
 *   name: "tenants",
 *   limits: { tpm: rate({ unit: "tokens", limit: 90_000, per: "minute" }) },
 * });
 * const pool = new UpstreamPool({ name: "openai", upstreams: [{ id: "key-a", maxInFlight: 64 }] });
 *
 * const decision = limiter.take("tenant-42", { tokens: tokenizer.count("Hello, world!") });
 * using lease = decision.allowed ? pool.tryAcquire() : null;
 * console.log(lease?.upstream); // key-a
 * ```
 *
 * @module
 */
export type { Text } from "./src/arguments.ts";
export { SluiceError, type SluiceErrorCode } from "./src/errors.ts";
export type { StatusCode } from "./src/ffi/symbols.gen.ts";

// The tokenizer.
export type { EncodedBatch } from "./src/tokenizer/batch.ts";
export { type CacheOptions, type CacheStats, cacheStats } from "./src/tokenizer/cache.ts";
export type { MessageCount, ToolCount, Uncounted } from "./src/tokenizer/chat_request.ts";
export type {
  ChatFunction,
  ChatMessage,
  ChatPart,
  ChatTool,
  ChatToolCall,
} from "./src/tokenizer/chat_types.ts";
export type { Chunk, ChunkOptions } from "./src/tokenizer/chunks.ts";
export type { TokenCounter } from "./src/tokenizer/counter.ts";
export { type TokenDecoder, TokenDecoderStream, type TokenIds } from "./src/tokenizer/decoder.ts";
export { type EncodingName, ENCODINGS } from "./src/tokenizer/encodings.ts";
export {
  countMessages,
  type CountMessagesOptions,
  type EstimateReason,
  type MessagesCount,
} from "./src/tokenizer/messages.ts";
export { type ResolvedModel, resolveModel } from "./src/tokenizer/models.ts";
export type {
  AsyncOptions,
  BatchOptions,
  Special,
  TextOptions,
  TokenizerOptions,
} from "./src/tokenizer/options.ts";
export { Tokenizer } from "./src/tokenizer/tokenizer.ts";
export type { TruncateOptions } from "./src/tokenizer/truncate.ts";

// The rate limiter.
export type { Cost } from "./src/limiter/cost.ts";
export type { Allowed, Decision, Denied, LimitState } from "./src/limiter/decision.ts";
export type { LimiterKey } from "./src/limiter/key.ts";
export type { LimiterKeys } from "./src/limiter/keys.ts";
export {
  concurrency,
  type ConcurrencyLimit,
  type ConcurrencyOptions,
  type Limit,
  type Limits,
  type Period,
  quota,
  type QuotaLimit,
  type QuotaOptions,
  rate,
  type RateLimit,
  type RateOptions,
  type Window,
} from "./src/limiter/limits.ts";
export type { LimiterStats, RateLimiterOptions } from "./src/limiter/options.ts";
export { RateLimiter } from "./src/limiter/rate_limiter.ts";
export type { Reservation, ReserveOptions } from "./src/limiter/reservation.ts";
export { type Part, peekAll, reserveAll, takeAll } from "./src/limiter/together.ts";
export { VirtualClock } from "./src/limiter/virtual_clock.ts";

// Limits in HTTP headers, sent and received.
export {
  deniedResponse,
  type DeniedResponseOptions,
  type ProblemType,
} from "./src/http/denied_response.ts";
export {
  type LimitedPart,
  limitHeaders,
  type LimitHeadersOptions,
} from "./src/http/limit_headers.ts";
export { retryAfterMs } from "./src/http/retry_after.ts";
export { type LimitMapping, tightenFrom } from "./src/http/tighten.ts";
export {
  parseLimitHeaders,
  type UpstreamLimit,
  type UpstreamLimits,
} from "./src/http/upstream_limits.ts";

// The pools, of upstreams and of resources.
export { type Failure, Lease, type ReleaseResult } from "./src/pool/lease.ts";
export type { FetchOptions, MakeRequest } from "./src/pool/leased_fetch.ts";
export type {
  AcquireOptions,
  AdaptiveOptions,
  HealthOptions,
  PoolEvent,
  PoolOptions,
  QueueOptions,
  TryAcquireOptions,
  UpstreamChanges,
  UpstreamOptions,
} from "./src/pool/options.ts";
export { ResourceLease } from "./src/pool/resource_lease.ts";
export type {
  DestroyReason,
  ResourceEvent,
  ResourcePoolOptions,
} from "./src/pool/resource_options.ts";
export {
  type AcquireResourceOptions,
  ResourcePool,
  type ResourcePoolStats,
} from "./src/pool/resource_pool.ts";
export type { PoolStats, UpstreamState, UpstreamStats } from "./src/pool/stats.ts";
export { UpstreamPool } from "./src/pool/upstream_pool.ts";
