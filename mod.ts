/**
 * Exact token counts, rate limits and upstream pools for LLM gateways on Bun, Deno and Node.js.
 *
 * One Rust library with a C ABI is loaded by `bun:ffi`, `Deno.dlopen` or `node:ffi`. All Workers of a process share its
 * state. Importing this module opens nothing: the library is loaded on first use. Each part can be imported
 * alone: `sluice/tokenizer`, `sluice/limiter`, `sluice/http`, `sluice/pool`. `sluice/shared`, which shares limits with
 * other processes, is only there.
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
export {
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorDetails,
  type SluiceErrorInit,
} from "./src/errors.ts";
export type { StatusCode } from "./src/ffi/symbols.gen.ts";
export * from "./src/http/mod.ts";
export * from "./src/limiter/mod.ts";
export * from "./src/pool/mod.ts";
export * from "./src/tokenizer/mod.ts";
