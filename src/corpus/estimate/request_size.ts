/**
 * The size of a request in each unit that limits and prices have.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { countRequest, type EncodingName, type UncountedPart } from "../../tokenizer/mod.ts";
import type { LineSize } from "../split/limits.ts";
import { isObject, type JsonObject } from "./json_lines.ts";
import type { RequestLine } from "./request_line.ts";

/** The longest name of a model or an endpoint that is kept. */
const MAX_NAME = 256;

/** What is known of a request. */
export interface RequestSize extends LineSize {
  /** Whether `tokens` is what the API counts. */
  readonly exact: boolean;
  readonly uncounted: readonly UncountedPart[];
  readonly model: string | undefined;
  /** Its identifier in a batch; undefined if it has none that is a text. */
  readonly id: string | undefined;
  readonly endpoint: string | undefined;
  /** The most tokens of its reply, or undefined if it does not say. */
  readonly maxOutput: number | undefined;
  /** The tokens of what the assistant said and called. */
  readonly assistantTokens: number;
  readonly messages: number;
}

/**
 * Measures a request.
 *
 * @param line The line that it is on.
 * @param bytes The bytes of the line, its line feed included.
 * @param model The model to count for, instead of that of the request.
 * @param encoding The encoding for a model that is unknown or missing.
 */
export function sizeOfRequest(
  { body, id }: RequestLine,
  line: JsonObject,
  bytes: number,
  model: string | undefined,
  encoding: EncodingName,
): RequestSize {
  const count = countRequest(body, { unknownModel: encoding, model });
  const isEmbedding = count.format === "openai-embeddings";
  return {
    requests: 1,
    bytes,
    tokens: count.tokens,
    ...isEmbedding ? inputsOf(body["input"]) : { inputs: 0, inputBytes: 0 },
    exact: count.estimate === "exact",
    uncounted: count.uncounted,
    model: model ?? name(body["model"]),
    id,
    endpoint: name(line["url"]),
    maxOutput: isEmbedding ? 0 : maxOutputOf(body),
    assistantTokens: count.messages.reduce(
      (sum, { role, content, calls }) => role === "assistant" ? sum + content + calls : sum,
      0,
    ),
    messages: count.messages.length,
  };
}

function name(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, MAX_NAME) : undefined;
}

/** A text, token ids, or a list of either. */
function inputsOf(input: unknown): { inputs: number; inputBytes: number } {
  if (!Array.isArray(input)) return { inputs: 1, inputBytes: bytesOf(input) };
  if (typeof input[0] === "number") return { inputs: 1, inputBytes: 0 };
  return {
    inputs: input.length,
    inputBytes: input.reduce((sum: number, text: unknown) => sum + bytesOf(text), 0),
  };
}

function bytesOf(text: unknown): number {
  return typeof text === "string" ? Buffer.byteLength(text) : 0;
}

/** The maximum of OpenAI's APIs, Anthropic's, Mistral's and Gemini's, for each reply that is generated. */
function maxOutputOf(body: JsonObject): number | undefined {
  const config = isObject(body["generationConfig"]) ? body["generationConfig"] : {};
  const most = [
    body["max_completion_tokens"],
    body["max_output_tokens"],
    body["max_tokens"],
    config["maxOutputTokens"],
  ].find(isCount);
  if (most === undefined) return undefined;
  const replies = [body["n"], body["best_of"], config["candidateCount"]].filter(isCount);
  return most * promptsOf(body["prompt"]) * Math.max(1, ...replies);
}

/** A completion has replies to each prompt: a text, token ids, or a list of either. */
function promptsOf(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] !== "number" ? Math.max(prompt.length, 1) : 1;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}
