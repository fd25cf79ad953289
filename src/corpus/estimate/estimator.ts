/**
 * A streaming estimate of a batch, of chats to train with or of texts, in memory of some bytes a line.
 *
 * @module
 */
import { Counts } from "./distribution.ts";
import type {
  CostEstimate,
  Estimate,
  EstimateOptions,
  FileEstimate,
  LineEstimate,
  LinePlace,
} from "./estimate_types.ts";
import { First } from "./first.ts";
import { IdCheck } from "./id_check.ts";
import type { JsonObject } from "./json_lines.ts";
import { LimitUse } from "./limit_use.ts";
import { ModelTotals, outputOf, withTotal } from "./model_totals.ts";
import { type RequestSize, sizeOfRequest } from "./request_size.ts";
import { type RequestLine, requestOf } from "./request_line.ts";
import { Training } from "./training.ts";

/** More models than this are summed up as {@linkcode OTHERS}, and so are more endpoints. */
const MAX_NAMES = 1000;

/** The name of what is beyond {@linkcode MAX_NAMES}. */
export const OTHERS = "(others)";

/** A bad line. */
export interface BadLine {
  readonly error: string;
}

/** Adds up lines, one file after the other. */
export class Estimator {
  readonly #options: EstimateOptions;
  readonly #files: FileEstimate[] = [];
  readonly #models = new Map<string | undefined, ModelTotals>();
  readonly #endpoints = new Map<string, number>();
  readonly #all = new Counts();
  readonly #exact = { requests: 0, tokens: 0 };
  readonly #estimated = { requests: 0, tokens: 0 };
  readonly #bad = new First<LinePlace & BadLine>();
  readonly #over = new First<LinePlace>();
  readonly #ids: IdCheck;
  readonly #limits: readonly LimitUse[];
  readonly #training: Training;
  /** The models of the file, and the most that a file has. */
  readonly #fileModels = new Set<string | undefined>();
  #mostModels = 0;
  #uncounted = 0;
  #inputs = 0;
  #knownContexts = 0;

  constructor(options: EstimateOptions) {
    this.#options = options;
    this.#ids = new IdCheck(options.limits.flatMap(({ customId }) => customId ?? []));
    this.#limits = options.limits.map((set) => new LimitUse(set));
    this.#training = new Training(options.context);
  }

  /** Begins a file. What follows is of this file. */
  startFile(path: string): void {
    this.#files.push({ path, bytes: 0, lines: 0, requests: 0, bad: 0, blank: 0, tokens: 0 });
    this.#ids.startFile();
    this.#fileModels.clear();
    for (const limit of this.#limits) limit.startFile();
  }

  /** Adds a line of white space. */
  addBlank(bytes: number): void {
    const file = this.#file;
    file.lines++;
    file.blank++;
    file.bytes += bytes;
  }

  /** Adds a line that is no request and no text. */
  addBad(error: string, bytes: number): BadLine {
    const file = this.#file;
    file.lines++;
    file.bad++;
    file.bytes += bytes;
    this.#bad.add({ ...this.#place, error });
    return { error };
  }

  /** Adds the object of a line of a batch or of chats. */
  addObject(line: JsonObject, bytes: number): LineEstimate | BadLine {
    const { kind, model, encoding } = this.#options;
    const isChat = kind === "chat";
    const request = isChat ? chatOf(line) : batchRequestOf(line);
    if (request === undefined) {
      const bad = this.addBad(isChat ? NO_CHAT : NO_REQUEST, bytes);
      if (isChat) this.#training.add(line, undefined, this.#place);
      return bad;
    }
    const size = sizeOfRequest(request, line, bytes, model, encoding);
    const estimate = this.#add(size);
    if (isChat) this.#training.add(line, size, this.#place);
    else this.#ids.add(size.id, this.#place);
    return estimate;
  }

  /** Adds a text whose tokens are counted already. */
  addText(tokens: number, bytes: number, exact: boolean): LineEstimate {
    const { model } = this.#options;
    return this.#add({
      requests: 1,
      bytes,
      tokens,
      inputs: 0,
      inputBytes: 0,
      exact,
      uncounted: [],
      model,
      id: undefined,
      endpoint: undefined,
      // A text alone gets no reply, unless the rule says how long replies are.
      maxOutput: this.#options.output.rule === "max" ? 0 : undefined,
      assistantTokens: 0,
      messages: 0,
    });
  }

  /** The estimate of all lines. O(n log n). */
  result(): Estimate {
    const models = [...this.#models.values()];
    const results = models.map((model) => model.result()).sort((a, b) => b.tokens - a.tokens);
    const unpriced = models.filter(({ price }) => price === undefined);
    const sum = (of: (file: FileEstimate) => number) => this.#files.reduce((n, f) => n + of(f), 0);
    const { kind } = this.#options;
    return {
      kind,
      files: this.#files,
      bytes: sum(({ bytes }) => bytes),
      lines: sum(({ lines }) => lines),
      requests: sum(({ requests }) => requests),
      bad: this.#bad.count,
      firstBad: this.#bad.kept,
      blank: sum(({ blank }) => blank),
      tokens: sum(({ tokens }) => tokens),
      exact: this.#exact,
      estimated: this.#estimated,
      uncounted: this.#uncounted,
      inputs: this.#inputs,
      distribution: this.#all.summary(),
      models: results,
      endpoints: Object.fromEntries(this.#endpoints),
      ...kind === "batch" ? { ids: this.#ids.result() } : {},
      context: {
        known: this.#knownContexts,
        over: this.#over.count,
        firstOver: this.#over.kept,
      },
      cost: total(results.map(({ cost }) => cost)),
      batchCost: total(results.map(({ batchCost }) => batchCost)),
      unpriced: {
        models: unpriced.map(({ model }) => model ?? "(no model)"),
        requests: unpriced.reduce((sum, { requests }) => sum + requests, 0),
      },
      unbounded: results.reduce((sum, { unbounded }) => sum + unbounded, 0),
      limits: this.#limits.map((limits) => limits.result(this.#mostModels)),
      ...kind === "chat" ? { training: this.#training.result(trainingPrice(models)) } : {},
    };
  }

  get #file(): FileEstimate {
    const file = this.#files.at(-1);
    if (file === undefined) throw new TypeError("startFile must be called first");
    return file;
  }

  /** The place of the line that was added last. */
  get #place(): LinePlace {
    const { path, lines } = this.#file;
    return { path, line: lines };
  }

  #add(size: RequestSize): LineEstimate {
    const { kind, context, output: rule } = this.#options;
    const { tokens, exact, uncounted, id, endpoint } = size;
    const file = this.#file;
    file.lines++;
    file.requests++;
    file.bytes += size.bytes;
    file.tokens += tokens;
    this.#all.add(tokens);
    const part = exact ? this.#exact : this.#estimated;
    part.requests++;
    part.tokens += tokens;
    this.#inputs += size.inputs;
    if (uncounted.length > 0) this.#uncounted++;
    if (endpoint !== undefined) increment(this.#endpoints, endpoint);
    const totals = this.#totalsOf(size.model);
    this.#fileModels.add(totals.model);
    this.#mostModels = Math.max(this.#mostModels, this.#fileModels.size);
    const output = kind === "chat" ? 0 : outputOf(rule, tokens, size.maxOutput);
    const costs = totals.add(tokens, output);
    const cost = kind === "batch" ? costs?.batch : kind === "text" ? costs?.single : undefined;
    // The context of training is not that of requests, and is only known if it is given.
    const most = context ?? (kind === "chat" ? undefined : totals.price?.context);
    const isOver = most !== undefined && tokens > most;
    if (most !== undefined) this.#knownContexts++;
    if (isOver) this.#over.add(this.#place);
    for (const limit of this.#limits) limit.add(size, this.#place);
    return {
      ...id === undefined ? {} : { custom_id: id },
      ...size.model === undefined ? {} : { model: size.model },
      tokens,
      ...exact ? {} : { exact },
      ...uncounted.length === 0 ? {} : { uncounted },
      ...kind !== "batch" || output === undefined ? {} : { output },
      ...cost === undefined ? {} : { cost: cost.input + cost.output },
      ...isOver ? { over_context: true } : {},
    };
  }

  #totalsOf(model: string | undefined): ModelTotals {
    let totals = this.#models.get(model);
    if (totals !== undefined) return totals;
    const name = this.#models.size < MAX_NAMES ? model : OTHERS;
    totals = this.#models.get(name) ?? new ModelTotals(name, this.#priceOf(name));
    this.#models.set(name, totals);
    return totals;
  }

  #priceOf(model: string | undefined) {
    return model === undefined ? undefined : this.#options.prices.find(model);
  }
}

const NO_REQUEST = 'there is no "body", "params" or "request" with a request';
const NO_CHAT = 'there is no "messages" with a list';

function chatOf(line: JsonObject): RequestLine | undefined {
  return Array.isArray(line["messages"]) ? { body: line, id: undefined } : undefined;
}

/** The request in a line of a batch. A line that is itself a request is none. */
function batchRequestOf(line: JsonObject): RequestLine | undefined {
  const request = requestOf(line);
  return request?.body === line ? undefined : request;
}

function increment(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < MAX_NAMES ? name : OTHERS;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function total(costs: readonly (CostEstimate | undefined)[]): CostEstimate {
  const sum = { input: 0, output: 0 };
  for (const cost of costs) {
    sum.input += cost?.input ?? 0;
    sum.output += cost?.output ?? 0;
  }
  return withTotal(sum);
}

/** Training is of one model. */
function trainingPrice(models: readonly ModelTotals[]): number | undefined {
  return models.length === 1 ? models[0]!.price?.training : undefined;
}
