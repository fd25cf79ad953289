/**
 * The table of prices that is used without `--prices`: US dollars for a million tokens.
 *
 * Prices, contexts and lengths of replies of the first list are from LiteLLM's table (MIT) as of 2026-07-24. Those of
 * Claude 4.1 to 4.6 agree with <https://platform.claude.com/docs/en/about-claude/pricing>. A model that is not here has
 * no price.
 *
 * @module
 */
import { type Price, PriceTable } from "./prices.ts";

/** Names of one model, which is also sold under names with a date, and its price. */
type Row = readonly [names: string, price: Price];

const LITELLM = {
  date: "2026-07-24",
  source:
    "https://github.com/Wei-Shaw/model-price-repo/blob/f9ff14734f6203c490573cb1e2ae8fdac7a52a41/model_prices_and_context_window.json",
} as const;

const EMBEDDINGS = {
  date: "2026-06-21",
  source: "https://tokenmath.io/openai-api-pricing-explained",
} as const;

const ROWS: readonly Row[] = [
  ["gpt-5.5 gpt-5.5-2026-04-23", {
    input: 5,
    output: 30,
    batch: { input: 2.5, output: 15 },
    tiers: [{ above: 272_000, input: 10, output: 45 }],
    context: 1_050_000,
    maxOutput: 128_000,
  }],
  ["gpt-5.4 gpt-5.4-2026-03-05", {
    input: 2.5,
    output: 15,
    batch: { input: 1.25, output: 7.5 },
    tiers: [{ above: 272_000, input: 5, output: 22.5 }],
    context: 1_050_000,
    maxOutput: 128_000,
  }],
  ["gpt-5.4-mini", {
    input: 0.75,
    output: 4.5,
    batch: { input: 0.375, output: 2.25 },
    context: 400_000,
    maxOutput: 128_000,
  }],
  ["gpt-5.4-nano", {
    input: 0.2,
    output: 1.25,
    batch: { input: 0.1, output: 0.625 },
    context: 400_000,
    maxOutput: 128_000,
  }],
  ["gpt-5.2 gpt-5.2-2025-12-11", { input: 1.75, output: 14, context: 272_000, maxOutput: 128_000 }],
  ["gpt-5.1 gpt-5.1-2025-11-13", { input: 1.25, output: 10, context: 272_000, maxOutput: 128_000 }],
  ["gpt-5 gpt-5-2025-08-07", { input: 1.25, output: 10, context: 272_000, maxOutput: 128_000 }],
  ["gpt-5-mini gpt-5-mini-2025-08-07", {
    input: 0.25,
    output: 2,
    context: 272_000,
    maxOutput: 128_000,
  }],
  ["gpt-5-nano gpt-5-nano-2025-08-07", {
    input: 0.05,
    output: 0.4,
    context: 272_000,
    maxOutput: 128_000,
  }],
  ["gpt-4.1 gpt-4.1-2025-04-14", {
    input: 2,
    output: 8,
    batch: { input: 1, output: 4 },
    context: 1_047_576,
    maxOutput: 32_768,
  }],
  ["gpt-4.1-mini gpt-4.1-mini-2025-04-14", {
    input: 0.4,
    output: 1.6,
    batch: { input: 0.2, output: 0.8 },
    context: 1_047_576,
    maxOutput: 32_768,
  }],
  ["gpt-4.1-nano gpt-4.1-nano-2025-04-14", {
    input: 0.1,
    output: 0.4,
    batch: { input: 0.05, output: 0.2 },
    context: 1_047_576,
    maxOutput: 32_768,
  }],
  ["gpt-4o gpt-4o-2024-08-06 gpt-4o-2024-11-20", {
    input: 2.5,
    output: 10,
    batch: { input: 1.25, output: 5 },
    context: 128_000,
    maxOutput: 16_384,
  }],
  ["gpt-4o-mini gpt-4o-mini-2024-07-18", {
    input: 0.15,
    output: 0.6,
    batch: { input: 0.075, output: 0.3 },
    context: 128_000,
    maxOutput: 16_384,
  }],
  ["gpt-4-turbo gpt-4-turbo-2024-04-09", {
    input: 10,
    output: 30,
    context: 128_000,
    maxOutput: 4096,
  }],
  ["gpt-4 gpt-4-0314 gpt-4-0613", { input: 30, output: 60, context: 8192, maxOutput: 4096 }],
  ["gpt-3.5-turbo gpt-3.5-turbo-0125", {
    input: 0.5,
    output: 1.5,
    context: 16_385,
    maxOutput: 4096,
  }],
  ["o3 o3-2025-04-16", { input: 2, output: 8, context: 200_000, maxOutput: 100_000 }],
  ["o3-mini o3-mini-2025-01-31", { input: 1.1, output: 4.4, context: 200_000, maxOutput: 100_000 }],
  ["o4-mini o4-mini-2025-04-16", { input: 1.1, output: 4.4, context: 200_000, maxOutput: 100_000 }],
  ["claude-opus-4-8", { input: 5, output: 25, context: 1_000_000, maxOutput: 128_000 }],
  ["claude-opus-4-7 claude-opus-4-7-20260416", {
    input: 5,
    output: 25,
    context: 1_000_000,
    maxOutput: 128_000,
  }],
  ["claude-opus-4-6 claude-opus-4-6-20260205", {
    input: 5,
    output: 25,
    context: 1_000_000,
    maxOutput: 128_000,
  }],
  ["claude-opus-4-5 claude-opus-4-5-20251101", {
    input: 5,
    output: 25,
    context: 200_000,
    maxOutput: 64_000,
  }],
  ["claude-opus-4-1 claude-opus-4-1-20250805", {
    input: 15,
    output: 75,
    context: 200_000,
    maxOutput: 32_000,
  }],
  ["claude-sonnet-4-6", { input: 3, output: 15, context: 1_000_000, maxOutput: 64_000 }],
  ["claude-sonnet-4-5 claude-sonnet-4-5-20250929", {
    input: 3,
    output: 15,
    tiers: [{ above: 200_000, input: 6, output: 22.5 }],
    context: 200_000,
    maxOutput: 64_000,
  }],
  ["claude-haiku-4-5 claude-haiku-4-5-20251001", {
    input: 1,
    output: 5,
    context: 200_000,
    maxOutput: 64_000,
  }],
];

/** The default table. */
export function defaultPrices(): PriceTable {
  const dated = ROWS.flatMap(([names, price]) =>
    names.split(" ").map((name) => [name, { ...price, ...LITELLM }] as const)
  );
  const models = Object.fromEntries<unknown>([
    ...dated,
    ["text-embedding-3-small", { input: 0.02, output: 0, context: 8192, ...EMBEDDINGS }],
  ]);
  return PriceTable.of({ models });
}
