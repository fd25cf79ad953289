/**
 * What an estimate is told and what it tells. The result is what `sluice estimate --json` prints.
 *
 * @module
 */
import type { EncodingName, UncountedPart } from "../../tokenizer/mod.ts";
import type { LimitSet, LimitUnit } from "../split/limits.ts";
import type { Distribution } from "./distribution.ts";
import type { PriceTable } from "./prices.ts";

/** What the lines are: requests of a batch file, chats to train with, or texts. */
export type EstimateKind = "batch" | "chat" | "text";

/** How many tokens replies are taken to have. A request's own maximum is never exceeded. */
export type OutputRule =
  /** As many as the request allows. */
  | { readonly rule: "max" }
  | { readonly rule: "tokens"; readonly tokens: number }
  /** A multiple of the tokens of the prompt. */
  | { readonly rule: "ratio"; readonly ratio: number };

/** How to estimate. */
export interface EstimateOptions {
  readonly kind: EstimateKind;
  /** The encoding of requests without a known model. */
  readonly encoding: EncodingName;
  /** The model to estimate for, instead of those of the requests. */
  readonly model?: string | undefined;
  readonly prices: PriceTable;
  readonly output: OutputRule;
  /** The most tokens of a prompt, instead of what the prices say. */
  readonly context?: number | undefined;
  readonly limits: readonly LimitSet[];
}

/** Where a line is. */
export interface LinePlace {
  readonly path: string;
  readonly line: number;
}

/** What is estimated of one line. */
export interface LineEstimate {
  readonly custom_id?: string;
  readonly model?: string;
  readonly tokens: number;
  readonly exact?: false;
  readonly uncounted?: readonly UncountedPart[];
  /** The tokens of the reply by the rule. Missing if the request has no maximum. */
  readonly output?: number;
  /** In US dollars. Missing without a price. */
  readonly cost?: number;
  readonly over_context?: true;
}

/** Sums of one file. */
export interface FileEstimate {
  readonly path: string;
  bytes: number;
  lines: number;
  requests: number;
  bad: number;
  blank: number;
  tokens: number;
}

/** US dollars. */
export interface CostEstimate {
  readonly input: number;
  /** Without the replies of requests that have no maximum. */
  readonly output: number;
  readonly total: number;
}

/** Sums of one model. */
export interface ModelEstimate {
  /** Missing for requests that name no model. */
  readonly model?: string;
  readonly requests: number;
  readonly tokens: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** The tokens of replies. */
  readonly output: number;
  /** Requests whose replies are not in `output`, as they have no maximum. */
  readonly unbounded: number;
  /** At the prices of single requests. Missing without a price. */
  readonly cost?: CostEstimate;
  /** At the prices of batches. */
  readonly batchCost?: CostEstimate;
  readonly priceDate?: string;
  readonly priceSource?: string;
}

/** How much of a limit is used. */
export interface LimitEstimate {
  readonly unit: LimitUnit;
  readonly of: "file" | "request";
  /** Whether only requests for embeddings count. */
  readonly embeddings?: true;
  readonly limit: number;
  /** The sum of a file, or the greatest request. */
  readonly used: number;
  /** How many files it takes by this limit alone. Missing for limits of requests and of models. */
  readonly files?: number;
  readonly source?: string;
  readonly date?: string;
}

/** The use of the limits of one provider. */
export interface LimitsEstimate {
  readonly name: string;
  readonly limits: readonly LimitEstimate[];
  /** How many files it takes by all of them. */
  readonly files: number;
  /** Lines that exceed a limit alone. */
  readonly tooLarge: number;
  readonly firstTooLarge: readonly (LinePlace & { readonly limit: string })[];
  /** Whether nothing is exceeded. */
  readonly fits: boolean;
}

/** The identifiers of a batch. */
export interface IdsEstimate {
  readonly missing: number;
  readonly firstMissing: readonly LinePlace[];
  readonly duplicates: number;
  readonly firstDuplicates:
    readonly (LinePlace & { readonly id: string; readonly first: number })[];
  /** Those that the provider refuses. */
  readonly refused: number;
  readonly firstRefused: readonly (LinePlace & { readonly id: string })[];
}

/** What holds for chats to train with. */
export interface TrainingEstimate {
  /** How many errors there are of each kind, named as in OpenAI's cookbook. */
  readonly errors: Readonly<Record<string, number>>;
  readonly firstErrors: readonly (LinePlace & { readonly error: string })[];
  readonly withoutSystem: number;
  readonly withoutUser: number;
  readonly messages: Distribution;
  readonly assistantTokens: Distribution;
  /** By OpenAI's rule of default epochs. */
  readonly epochs: number;
  /** Tokens of one epoch, each chat cut at the context if it is given. */
  readonly billedTokens: number;
  /** US dollars for all epochs. Missing without a price of training. */
  readonly cost?: number;
}

/** The whole estimate. */
export interface Estimate {
  readonly kind: EstimateKind;
  readonly files: readonly FileEstimate[];
  readonly bytes: number;
  readonly lines: number;
  readonly requests: number;
  readonly bad: number;
  readonly firstBad: readonly (LinePlace & { readonly error: string })[];
  readonly blank: number;
  readonly tokens: number;
  /** Requests whose count is that of the API, and their tokens. */
  readonly exact: { readonly requests: number; readonly tokens: number };
  readonly estimated: { readonly requests: number; readonly tokens: number };
  /** Requests with parts whose tokens are in no number. */
  readonly uncounted: number;
  /** Texts to embed. */
  readonly inputs: number;
  readonly distribution: Distribution;
  readonly models: readonly ModelEstimate[];
  /** Requests by endpoint, if the lines name it. */
  readonly endpoints: Readonly<Record<string, number>>;
  readonly ids?: IdsEstimate;
  readonly context: {
    /** Requests whose context is known. */
    readonly known: number;
    readonly over: number;
    readonly firstOver: readonly LinePlace[];
  };
  /** Of the models with a price. */
  readonly cost: CostEstimate;
  readonly batchCost: CostEstimate;
  /** Models without a price, and requests that they have. */
  readonly unpriced: { readonly models: readonly string[]; readonly requests: number };
  readonly unbounded: number;
  readonly limits: readonly LimitsEstimate[];
  readonly training?: TrainingEstimate;
}
