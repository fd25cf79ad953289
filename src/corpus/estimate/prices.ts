/**
 * A table of prices with dates and sources, from our JSON or LiteLLM's, and what requests cost by it.
 *
 * @module
 */
import { show } from "../../errors.ts";
import { checkKnown, type Known } from "../../known_options.ts";
import { isObject, type JsonObject } from "./json_lines.ts";

/** What a million tokens cost, in US dollars. */
export interface Rate {
  readonly input: number;
  readonly output: number;
}

/** What tokens cost if the prompt has more than `above` tokens: all tokens of such a request. */
export interface Tier extends Rate {
  readonly above: number;
  readonly batch?: Rate | undefined;
}

/** The prices of a model. */
export interface Price extends Rate {
  /** The prices of batches. Without them a batch costs half, as providers of batches say. */
  readonly batch?: Rate | undefined;
  /** In ascending order. */
  readonly tiers?: readonly Tier[] | undefined;
  /** What a million tokens of training cost. */
  readonly training?: number | undefined;
  /** The most tokens of a prompt. */
  readonly context?: number | undefined;
  /** The most tokens of a reply. */
  readonly maxOutput?: number | undefined;
  /** When the price was in force, as `2026-11-29`. */
  readonly date?: string | undefined;
  readonly source?: string | undefined;
}

/** A cost in US dollars. */
export interface Cost {
  readonly input: number;
  readonly output: number;
}

/** The share of the price that a batch costs if there is no price of batches. */
export const BATCH_SHARE = 0.5;

/** Prices by model. */
export class PriceTable {
  readonly #prices: ReadonlyMap<string, Price>;

  private constructor(prices: ReadonlyMap<string, Price>) {
    this.#prices = prices;
  }

  /**
   * Reads a table: `{"date","source","models":{"gpt-4o":{"input":2.5,"output":10,…}}}` with US dollars for a million
   * tokens, or LiteLLM's `model_prices_and_context_window.json`.
   *
   * @throws {TypeError} If it is neither, or a price is not a number; names the field.
   */
  static read(text: string): PriceTable {
    let file: unknown;
    try {
      file = JSON.parse(text);
    } catch {
      throw new TypeError("prices must be JSON");
    }
    if (!isObject(file)) throw new TypeError(`prices must be an object, not ${show(file)}`);
    return PriceTable.of(file);
  }

  /** The table of a parsed file. See {@linkcode PriceTable.read}. */
  static of(file: JsonObject): PriceTable {
    const prices = new Map<string, Price>();
    const { models } = file;
    if (isObject(models)) {
      for (const [name, row] of Object.entries(models)) {
        const path = `prices.models[${show(name)}]`;
        if (!isObject(row)) throw new TypeError(`${path} must be an object, not ${show(row)}`);
        prices.set(name.toLowerCase(), ownPrice(path, row, file));
      }
    } else {
      for (const [name, row] of Object.entries(file)) {
        const price = isObject(row) ? liteLlmPrice(row) : undefined;
        if (price !== undefined && name !== "sample_spec") prices.set(name.toLowerCase(), price);
      }
    }
    if (prices.size === 0) {
      throw new TypeError(
        'prices must have {"models":{…}}, or models with "input_cost_per_token" as LiteLLM\'s file has',
      );
    }
    return new PriceTable(prices);
  }

  /** The price of a model of exactly that name, or of that name without `openai/` or `anthropic/`. */
  find(model: string): Price | undefined {
    const name = model.trim().toLowerCase();
    return this.#prices.get(name) ?? this.#prices.get(name.replace(/^(?:openai|anthropic)\//, ""));
  }
}

/**
 * The cost of a request.
 *
 * @param input The tokens of the prompt, which decide the tier.
 */
export function costOf(price: Price, input: number, output: number, isBatch: boolean): Cost {
  const tier = price.tiers?.findLast(({ above }) => input > above) ?? price;
  const rate = isBatch ? tier.batch : tier;
  const share = rate === undefined ? BATCH_SHARE : 1;
  const { input: perInput, output: perOutput } = rate ?? tier;
  return {
    input: share * input * perInput / 1e6,
    output: share * output * perOutput / 1e6,
  };
}

const FIELDS: Known<Price> = {
  input: true,
  output: true,
  batch: true,
  tiers: true,
  training: true,
  context: true,
  maxOutput: true,
  date: true,
  source: true,
};

function ownPrice(path: string, row: JsonObject, file: JsonObject): Price {
  checkKnown<object>(path, row, FIELDS);
  const { batch, tiers, date = file["date"], source = file["source"] } = row;
  if (tiers !== undefined && !Array.isArray(tiers)) {
    throw new TypeError(`${path}.tiers must be a list, not ${show(tiers)}`);
  }
  return {
    ...rate(path, row),
    ...batch === undefined ? {} : { batch: rate(`${path}.batch`, batch) },
    ...tiers === undefined ? {} : {
      tiers: tiers.map((tier: unknown, i) => ownTier(`${path}.tiers[${i}]`, tier))
        .sort((a, b) => a.above - b.above),
    },
    training: optional(`${path}.training`, row["training"]),
    context: optional(`${path}.context`, row["context"]),
    maxOutput: optional(`${path}.maxOutput`, row["maxOutput"]),
    ...typeof date === "string" ? { date } : {},
    ...typeof source === "string" ? { source } : {},
  };
}

function ownTier(path: string, tier: unknown): Tier {
  const batch = isObject(tier) ? tier["batch"] : undefined;
  return {
    ...rate(path, tier),
    above: number(`${path}.above`, (tier as JsonObject)["above"]),
    ...batch === undefined ? {} : { batch: rate(`${path}.batch`, batch) },
  };
}

function rate(path: string, value: unknown): Rate {
  if (!isObject(value)) throw new TypeError(`${path} must be an object, not ${show(value)}`);
  return {
    input: number(`${path}.input`, value["input"]),
    output: number(`${path}.output`, value["output"] ?? 0),
  };
}

function optional(path: string, value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : number(path, value);
}

function number(path: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new TypeError(`${path} must be a number of at least 0, not ${show(value)}`);
}

/** Prices of LiteLLM are those of one token. Rows without a price of tokens, such as those of images, are no prices. */
function liteLlmPrice(row: JsonObject): Price | undefined {
  const million = (field: string) => {
    const price = row[field];
    // Not 1e6 * price, which turns 0.00000015 into 0.15 and a bit.
    return typeof price === "number" ? Number((1e6 * price).toPrecision(12)) : undefined;
  };
  const input = million("input_cost_per_token");
  if (input === undefined) return undefined;
  const output = million("output_cost_per_token") ?? 0;
  const batch = million("input_cost_per_token_batches");
  const whole = (field: string) => typeof row[field] === "number" ? row[field] : undefined;
  const tiers = Object.keys(row).flatMap((field) => {
    const above = /^input_cost_per_token_above_(\d+)k_tokens$/.exec(field)?.[1];
    if (above === undefined) return [];
    return {
      above: 1000 * Number(above),
      input: million(field) ?? input,
      output: million(`output_cost_per_token_above_${above}k_tokens`) ?? output,
    };
  }).sort((a, b) => a.above - b.above);
  return {
    input,
    output,
    ...batch === undefined ? {} : {
      batch: {
        input: batch,
        output: million("output_cost_per_token_batches") ?? BATCH_SHARE * output,
      },
    },
    ...tiers.length === 0 ? {} : { tiers },
    context: whole("max_input_tokens"),
    maxOutput: whole("max_output_tokens"),
    ...typeof row["source"] === "string" ? { source: row["source"] } : {},
  };
}
