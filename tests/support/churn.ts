/** What the test of Worker churn and its Workers share: by name, so that it is the same in all. */
import { concurrency, rate, RateLimiter, Tokenizer, UpstreamPool } from "../../mod.ts";

/** Opens the tokenizer, the limiter and the pool. */
export function churned(): { tokenizer: Tokenizer; limiter: RateLimiter; pool: UpstreamPool } {
  return {
    tokenizer: new Tokenizer("o200k_base", { cache: true }),
    limiter: new RateLimiter({
      name: "churn",
      maxKeys: 64,
      limits: {
        tpm: rate({ unit: "tokens", limit: 1e9, per: "minute" }),
        live: concurrency({ limit: 1_000 }),
      },
    }),
    pool: new UpstreamPool({
      name: "churn",
      upstreams: [{ id: "a", maxInFlight: 4 }],
      queue: { max: 1_000, timeoutMs: 30_000 },
    }),
  };
}
