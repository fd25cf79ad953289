/**
 * The cost of a Chat Completions request in tokens, by part.
 *
 * @module
 */
import {
  ChatRequest,
  type MessageCount,
  type ToolCount,
  type UncountedPart,
} from "./chat_request.ts";
import { readTools } from "./chat_tools.ts";
import { chatRules } from "./chat_rules.ts";
import type { ChatFunction, ChatMessage, ChatTool } from "./chat_types.ts";
import { checkCache, type CountCacheOptions } from "./cache.ts";
import type { EncodingName } from "./encodings.ts";
import { show } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { lookUpModel, type UnknownModel } from "./models.ts";
import { pathOf } from "./request/json_writer.ts";
import { OPENAI_CHAT } from "./request/openai_chat.ts";
import { Tokenizer } from "./tokenizer.ts";

/** The fields of a request other than its messages, as far as they cost tokens. */
export interface ChatRequestFields {
  /** The model, as for {@linkcode resolveModel}. */
  readonly model: string;
  /** The tools that the model may use. */
  readonly tools?: readonly ChatTool[] | null | undefined;
  /** The functions that the model may call, in requests older than `tools`. */
  readonly functions?: readonly ChatFunction[] | null | undefined;
  /** The function to call. `tool_choice` costs no tokens. */
  readonly function_call?: "none" | "auto" | { readonly name: string } | null | undefined;
  /** The format of the reply. A JSON schema costs tokens, which are reported as uncounted. */
  readonly response_format?: { readonly type: string } | null | undefined;
}

/** Options of {@linkcode countMessages}, which are not part of the request. */
export interface CountMessagesOptions {
  /**
   * The encoding for an unknown model, which makes the count an estimate, or `"refuse"`.
   *
   * @default "o200k_base", that of OpenAI's newest chat models.
   */
  readonly unknownModel?: UnknownModel | undefined;
  /**
   * Whether the counts of long texts are cached, as with a tokenizer's `cache`.
   *
   * @default false
   */
  readonly cache?: boolean | CountCacheOptions | undefined;
}

const OPTIONS: Known<CountMessagesOptions> = { unknownModel: true, cache: true };

/** Why a count may differ from that of the API. */
export type EstimateReason =
  /** The model's vocabulary is not public, or the model is not known. */
  | "vocabulary"
  /** The tokens around messages were never observed for this model. */
  | "frame"
  /** There are tools, whose serialization is inferred. */
  | "tools"
  /** There are calls of tools, whose serialization is inferred. */
  | "calls"
  /** There are texts for which no provider documents a charge. */
  | "fields"
  /** There are images or schemas, which are estimated separately; see {@linkcode RequestCount.extras}. */
  | "extras";

/** The result of {@linkcode countMessages}. */
export interface MessagesCount {
  /** The sum of `messages`, `tools` and `overhead`. */
  readonly tokens: number;
  /** The cost of each message. */
  readonly messages: readonly MessageCount[];
  /** The cost of each tool: first those of `tools`, then those of `functions`. */
  readonly tools: readonly ToolCount[];
  /** The cost of the start of the reply and of the text around the tools. */
  readonly overhead: number;
  /** Parts whose cost is not in `tokens`: images, audio, files, tools of OpenAI's own. */
  readonly uncounted: readonly UncountedPart[];
  /** Why `tokens` is an estimate. Empty if it is not. */
  readonly estimated: readonly EstimateReason[];
  /** Whether `tokens` is exact: nothing is estimated or uncounted. */
  readonly exact: boolean;
  /** The encoding of the counts. */
  readonly encoding: EncodingName;
}

/** By encoding, with and without a cache. They live as long as the isolate. */
const tokenizers: Map<string, Tokenizer> = new Map();

/**
 * The tokens that OpenAI's Chat Completions API charges for the prompt of a request. For bodies of other APIs,
 * or of an unknown API, use {@linkcode countRequest}.
 *
 * All texts are counted as plain text: `<|endoftext|>` in a message is text of a user. The results were compared
 * with 219 totals that the API charged (`tests/fixtures/chat_totals`, checked by `tests/chat_totals_test.ts`).
 * Without tools and calls 83 of 86 are equal; the others are of models with prompts of their own. With tools or
 * calls, which are always estimates, 112 of 133 are equal, the mean error is 0.8 tokens, and the largest is 12,
 * where descriptions are indented and parameters have titles.
 *
 * O(length of the request). Serializing a tool takes some microseconds.
 *
 * @param messages The messages of the request.
 * @param request The model and the other fields of the request. A request body can be passed unchanged, even an
 * untrusted one: the work is bounded by its length.
 * @param options Settings that the sender of the request has no influence on.
 * @throws {TypeError} If a value is not what the API accepts. The message has its path, such as
 * `messages[2].content`, and mentions `countRequest` if the value is of another API.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL` with `unknownModel: "refuse"`.
 *
 * @example
 * ```ts
 * import { countMessages } from "./mod.ts";
 *
 * const count = countMessages([
 *   { role: "system", content: "You are a helpful assistant." },
 *   { role: "user", content: "Hello!" },
 * ], { model: "gpt-4o" });
 * console.log(count.tokens); // 19
 * console.log(count.messages.map(({ tokens }) => tokens)); // [ 10, 6 ]
 * ```
 */
export function countMessages(
  messages: readonly ChatMessage[],
  request: ChatRequestFields,
  options: CountMessagesOptions = {},
): MessagesCount {
  if (typeof request !== "object" || request === null) {
    throw new TypeError(`request must be an object with a model, not ${show(request)}`);
  }
  checkKnown<CountMessagesOptions>("options", options, OPTIONS);
  const unknown = unknownFields(request);
  const resolved = lookUpModel(request.model, options.unknownModel);
  const rules = chatRules(resolved);
  const counter = sharedTokenizer(resolved.encoding, options.cache);
  const reader = new ChatRequest(rules, (text) => counter.count(text));
  reader.uncounted.push(...unknown);
  const tools = readTools(request.tools, request.functions, reader.uncounted);
  reader.readMessages(messages, tools.length > 0);
  reader.readTools(tools);
  reader.readFunctionCall(request.function_call);
  if (request.response_format?.type === "json_schema") {
    reader.uncounted.push({ path: "response_format", type: "json_schema" });
  }

  const estimated: EstimateReason[] = [];
  if (!resolved.exact) estimated.push("vocabulary");
  if (!rules.observed) estimated.push("frame");
  if (tools.length > 0) estimated.push("tools");
  if (reader.hasCalls) estimated.push("calls");
  if (reader.hasAsides) estimated.push("fields");
  let tokens = reader.overhead;
  for (const message of reader.messages) tokens += message.tokens;
  for (const tool of reader.tools) tokens += tool.tokens;
  return {
    tokens,
    messages: reader.messages,
    tools: reader.tools,
    overhead: reader.overhead,
    uncounted: reader.uncounted,
    estimated,
    exact: estimated.length === 0 && reader.uncounted.length === 0,
    encoding: resolved.encoding,
  };
}

/** Fields of other APIs. If they were ignored, their texts would be lost. */
const OTHERS: Readonly<Record<string, string>> = {
  system: "anthropic-messages or ai-sdk",
  instructions: "openai-responses",
  input: "openai-responses or openai-embeddings",
  contents: "gemini",
  systemInstruction: "gemini",
  system_instruction: "gemini",
};

/** Refuses fields of other APIs, and returns unknown fields. */
function unknownFields(request: object): UncountedPart[] {
  const unknown: UncountedPart[] = [];
  for (const [key, value] of Object.entries(request)) {
    if (typeof value !== "string" && typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(OTHERS, key)) {
      throw new TypeError(
        `request.${key} is of ${OTHERS[key]} and not of the Chat Completions API. ` +
          "countRequest counts requests of any format",
      );
    }
    if (!Object.hasOwn(OPENAI_CHAT.fields!, key)) {
      unknown.push({ path: pathOf("", key), type: "unknown" });
    }
  }
  return unknown;
}

/** The tokenizer that all counts of requests in this isolate share. */
export function sharedTokenizer(
  encoding: EncodingName,
  cache: boolean | CountCacheOptions | undefined,
): Tokenizer {
  const key = checkCache(cache) === 0 ? encoding : `${encoding} cached`;
  let found = tokenizers.get(key);
  if (found === undefined) {
    found = new Tokenizer(encoding, { cache });
    tokenizers.set(key, found);
  }
  return found;
}
