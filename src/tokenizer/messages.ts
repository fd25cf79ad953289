/**
 * How many tokens a chat request costs, and which part of it costs how much.
 *
 * @module
 */
import { ChatRequest, type MessageCount, type ToolCount, type Uncounted } from "./chat_request.ts";
import { readTools } from "./chat_tools.ts";
import { chatRules } from "./chat_rules.ts";
import type { ChatFunction, ChatMessage, ChatTool } from "./chat_types.ts";
import { type CacheOptions, checkCache } from "./cache.ts";
import type { EncodingName } from "./encodings.ts";
import { show } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { lookUpModel, type UnknownModel } from "./models.ts";
import { pathOf } from "./request/json_writer.ts";
import { OPENAI_CHAT } from "./request/openai_chat.ts";
import { Tokenizer } from "./tokenizer.ts";

/** The fields of a request beside its messages, as far as they cost tokens. */
export interface ChatRequestFields {
  /** The model, as for {@linkcode resolveModel}. */
  readonly model: string;
  /** The tools that the model may use. */
  readonly tools?: readonly ChatTool[] | null | undefined;
  /** The functions that the model may call, in requests older than `tools`. */
  readonly functions?: readonly ChatFunction[] | null | undefined;
  /** Which of `functions` is to be called. `tool_choice` costs no tokens. */
  readonly function_call?: "none" | "auto" | { readonly name: string } | null | undefined;
  /** What the reply must look like. A JSON schema costs tokens, which are reported as uncounted. */
  readonly response_format?: { readonly type: string } | null | undefined;
}

/** Options of {@linkcode countMessages}: what is no part of the request. */
export interface CountMessagesOptions {
  /**
   * What counts a model that is not known: an encoding, which makes the count an estimate, or
   * `"refuse"`.
   *
   * @default "o200k_base", the newest of OpenAI's chat models.
   */
  readonly unknownModel?: UnknownModel;
  /**
   * Whether the counts of long texts are remembered, as with a tokenizer's `cache`.
   *
   * @default false
   */
  readonly cache?: boolean | CacheOptions;
}

const OPTIONS: Known<CountMessagesOptions> = { unknownModel: true, cache: true };

/** Why a count may not be that of the API. */
export type EstimateReason =
  /** The model's vocabulary is not public, or the model is not known. */
  | "vocabulary"
  /** The frame of messages was never observed for this model. */
  | "frame"
  /** There are tools: how they are written is inferred. */
  | "tools"
  /** There are calls of tools: how they are written is inferred. */
  | "calls"
  /** There are texts of which no provider says whether they are charged. */
  | "fields"
  /** There are images or schemas, which are estimated apart; see {@linkcode RequestCount.extras}. */
  | "extras";

/** What {@linkcode countMessages} found. */
export interface MessagesCount {
  /** All that can be counted: the sum of `messages`, `tools` and `overhead`. */
  readonly tokens: number;
  /** What each message costs. */
  readonly messages: readonly MessageCount[];
  /** What each tool costs, those of `functions` behind those of `tools`. */
  readonly tools: readonly ToolCount[];
  /** What opens the reply, and what stands around the tools. */
  readonly overhead: number;
  /** What costs tokens that are not in `tokens`: images, audio, files, tools of OpenAI's own. */
  readonly uncounted: readonly Uncounted[];
  /** Why `tokens` is an estimate; empty if it is not. */
  readonly estimated: readonly EstimateReason[];
  /** Whether `tokens` is exact: nothing is estimated or uncounted. */
  readonly exact: boolean;
  /** The encoding that the texts were counted with. */
  readonly encoding: EncodingName;
}

/** By encoding, with a cache or without. They live as long as the isolate; a handle is 4 bytes. */
const tokenizers: Map<string, Tokenizer> = new Map();

/**
 * The tokens that OpenAI's Chat Completions API charges for the prompt of a request. For bodies of other
 * APIs, and those that may be of any, there is {@linkcode countRequest}.
 *
 * All texts are counted as plain text: `<|endoftext|>` in a message is what a user
 * typed. Against 219 totals that the API charged (`tests/fixtures/chat_totals`, checked by
 * `tests/messages_test.ts`): without tools and calls 83 of 86 are hit, the others are models with
 * prompts of their own; with tools or calls, which are always estimates, 112 of 133 are hit, the mean
 * error is 0.8 tokens and the worst 12, where descriptions are indented and parameters have titles.
 *
 * O(length of the request); the text of tools takes some microseconds each to write.
 *
 * @param messages The messages of the request.
 * @param request The model, and what else the request holds. A request body can be passed as it is,
 * also one from whom nobody trusts: what it makes this do is bounded by its length.
 * @param options What is not for the sender of a request to say.
 * @throws {TypeError} If something is not of the shape that the API takes; the message names it, such
 * as `messages[2].content`, and `countRequest` where it is of another API's.
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
  const strange = strangeFields(request);
  const resolved = lookUpModel(request.model, options.unknownModel);
  const rules = chatRules(resolved);
  const counter = sharedTokenizer(resolved.encoding, options.cache);
  const reader = new ChatRequest(rules, (text) => counter.count(text));
  for (const it of strange) reader.uncounted.push(it);
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

/** What other APIs have beside messages. Passed over, their texts would be dropped. */
const OTHERS: Readonly<Record<string, string>> = {
  system: "anthropic-messages or ai-sdk",
  instructions: "openai-responses",
  input: "openai-responses or openai-embeddings",
  contents: "gemini",
  systemInstruction: "gemini",
  system_instruction: "gemini",
};

/** Refuses what is of another API, and returns what nobody knows. */
function strangeFields(request: object): Uncounted[] {
  const strange: Uncounted[] = [];
  for (const [key, value] of Object.entries(request)) {
    if (typeof value !== "string" && typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(OTHERS, key)) {
      throw new TypeError(
        `request.${key} is of ${OTHERS[key]} and not of the Chat Completions API. ` +
          "countRequest counts requests of any format",
      );
    }
    if (!Object.hasOwn(OPENAI_CHAT.fields!, key)) {
      strange.push({ path: pathOf("", key), type: "unknown" });
    }
  }
  return strange;
}

/** The tokenizer that all counts of requests in this isolate use. */
export function sharedTokenizer(
  encoding: EncodingName,
  cache: boolean | CacheOptions | undefined,
): Tokenizer {
  const key = checkCache(cache) === 0 ? encoding : `${encoding} cached`;
  let found = tokenizers.get(key);
  if (found === undefined) {
    found = new Tokenizer(encoding, cache === undefined ? {} : { cache });
    tokenizers.set(key, found);
  }
  return found;
}
