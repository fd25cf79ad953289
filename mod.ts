/**
 * Exact, fast token counting for LLM gateways on Bun and Deno.
 *
 * One Rust library with a C ABI, loaded by `bun:ffi` or `Deno.dlopen`; its state is shared by all
 * Workers of a process. Importing this module opens nothing: the library loads on first use.
 *
 * @example
 * ```ts
 * import { Tokenizer } from "./mod.ts";
 *
 * using tokenizer = Tokenizer.forModel("gpt-5");
 * console.log(tokenizer.count("Hello, world!"));
 * ```
 *
 * @module
 */
export type { Text } from "./src/arguments.ts";
export type { Chunk, ChunkOptions } from "./src/chunks.ts";
export type { TokenCounter } from "./src/counter.ts";
export { type TokenDecoder, TokenDecoderStream, type TokenIds } from "./src/decoder.ts";
export { type CacheOptions, type CacheStats, cacheStats } from "./src/cache.ts";
export type { MessageCount, ToolCount, Uncounted } from "./src/chat_request.ts";
export type {
  ChatFunction,
  ChatMessage,
  ChatPart,
  ChatTool,
  ChatToolCall,
} from "./src/chat_types.ts";
export { type EncodingName, ENCODINGS } from "./src/encodings.ts";
export { SluiceError, type SluiceErrorCode } from "./src/errors.ts";
export {
  countMessages,
  type CountMessagesOptions,
  type EstimateReason,
  type MessagesCount,
} from "./src/messages.ts";
export { type Failure, Lease, type ReleaseResult } from "./src/lease.ts";
export { type UpstreamChanges, UpstreamPool } from "./src/pool.ts";
export type {
  AcquireOptions,
  AdaptiveOptions,
  HealthOptions,
  PoolEvent,
  PoolOptions,
  QueueOptions,
  TryAcquireOptions,
  UpstreamOptions,
} from "./src/pool_options.ts";
export type { PoolStats, UpstreamState, UpstreamStats } from "./src/pool_stats.ts";
export type { StatusCode } from "./src/ffi/symbols.gen.ts";
export { type ResolvedModel, resolveModel } from "./src/models.ts";
export type { FetchOptions, MakeRequest } from "./src/leased_fetch.ts";
export { ResourceLease } from "./src/resource_lease.ts";
export type { DestroyReason, ResourceEvent, ResourcePoolOptions } from "./src/resource_options.ts";
export {
  type AcquireResourceOptions,
  ResourcePool,
  type ResourcePoolStats,
} from "./src/resource_pool.ts";
export type { EncodedBatch } from "./src/batch.ts";
export type {
  AsyncOptions,
  BatchOptions,
  Special,
  TextOptions,
  TokenizerOptions,
} from "./src/options.ts";
export { Tokenizer } from "./src/tokenizer.ts";
export type { TruncateOptions } from "./src/truncate.ts";
export type { Allowed, Decision, Denied, LimitState } from "./src/decision.ts";
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
} from "./src/limits.ts";
export type { Cost } from "./src/cost.ts";
export type { LimiterKey } from "./src/limiter_key.ts";
export type { LimiterStats, RateLimiterOptions } from "./src/limiter_options.ts";
export { RateLimiter } from "./src/rate_limiter.ts";
export type { Reservation, ReserveOptions } from "./src/reservation.ts";
export { type Part, peekAll, reserveAll, takeAll } from "./src/together.ts";
export { VirtualClock } from "./src/virtual_clock.ts";
