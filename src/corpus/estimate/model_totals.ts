/**
 * Sums of the requests for one model: tokens, replies and costs.
 *
 * @module
 */
import { Counts } from "./distribution.ts";
import type { CostEstimate, ModelEstimate, OutputRule } from "./estimate_types.ts";
import { type Cost, costOf, type Price } from "./prices.ts";

/** Adds up requests for one model. */
export class ModelTotals {
  readonly model: string | undefined;
  readonly price: Price | undefined;
  readonly #tokens = new Counts();
  readonly #single = { input: 0, output: 0 };
  readonly #batch = { input: 0, output: 0 };
  #output = 0;
  #unbounded = 0;

  constructor(model: string | undefined, price: Price | undefined) {
    this.model = model;
    this.price = price;
  }

  get requests(): number {
    return this.#tokens.size;
  }

  /** Requests whose replies have no maximum. */
  get unbounded(): number {
    return this.#unbounded;
  }

  /**
   * Adds a request. Returns its costs, alone and in a batch, or undefined without a price.
   *
   * @param output The tokens of the reply, or undefined if they have no maximum.
   */
  add(tokens: number, output: number | undefined): { single: Cost; batch: Cost } | undefined {
    this.#tokens.add(tokens);
    this.#output += output ?? 0;
    if (output === undefined) this.#unbounded++;
    if (this.price === undefined) return undefined;
    const single = costOf(this.price, tokens, output ?? 0, false);
    const batch = costOf(this.price, tokens, output ?? 0, true);
    this.#single.input += single.input;
    this.#single.output += single.output;
    this.#batch.input += batch.input;
    this.#batch.output += batch.output;
    return { single, batch };
  }

  result(): ModelEstimate {
    const { sum, p50, p90, p99, max } = this.#tokens.summary();
    const { model, price } = this;
    return {
      ...model === undefined ? {} : { model },
      requests: this.requests,
      tokens: sum,
      p50,
      p90,
      p99,
      max,
      output: this.#output,
      unbounded: this.#unbounded,
      ...price === undefined ? {} : {
        cost: withTotal(this.#single),
        batchCost: withTotal(this.#batch),
        ...price.date === undefined ? {} : { priceDate: price.date },
        ...price.source === undefined ? {} : { priceSource: price.source },
      },
    };
  }
}

/** The tokens of a reply by a rule, or undefined if the rule is its maximum and it has none. */
export function outputOf(
  output: OutputRule,
  tokens: number,
  most: number | undefined,
): number | undefined {
  switch (output.rule) {
    case "max":
      return most;
    case "tokens":
      return Math.min(output.tokens, most ?? Infinity);
    case "ratio":
      return Math.min(Math.round(output.ratio * tokens), most ?? Infinity);
  }
}

/** A cost with its sum. */
export function withTotal({ input, output }: Cost): CostEstimate {
  return { input, output, total: input + output };
}
