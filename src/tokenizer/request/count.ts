/**
 * How many tokens a request costs, whatever API it is for.
 *
 * @module
 */
import { show } from "../../errors.ts";
import { checkKnown, type Known } from "../../known_options.ts";
import type { CacheOptions } from "../cache.ts";
import { ChatRequest, type MessageCount, type ToolCount } from "../chat_request.ts";
import { type ChatRules, chatRules } from "../chat_rules.ts";
import type { ChatMessage } from "../chat_types.ts";
import { jsonText } from "../json_text.ts";
import { type EstimateReason, type MessagesCount, sharedTokenizer } from "../messages.ts";
import { lookUpModel, type ResolvedModel, type UnknownModel } from "../models.ts";
import { type Format, FORMATS, recognise, REQUEST_FORMATS, type RequestFormat } from "./formats.ts";
import { writeJson } from "./json_writer.ts";
import { mediumCost } from "./media.ts";
import type { Prompt, PromptMessage, PromptTool } from "./prompt.ts";
import { BodyReader } from "./reader.ts";

/** Options of {@linkcode countRequest}. */
export interface CountRequestOptions {
  /**
   * The model, where the body does not say it: Gemini, Azure and Bedrock have it in the address.
   *
   * @default The body's `model`.
   */
  readonly model?: string;
  /**
   * What counts a model that is not known, or not named: an encoding, which makes the count an
   * estimate, or `"refuse"`.
   *
   * @default "o200k_base", the newest of OpenAI's chat models.
   */
  readonly unknownModel?: UnknownModel;
  /**
   * The format, where the route says it.
   *
   * @default What the body looks like.
   */
  readonly format?: RequestFormat;
  /**
   * Whether the counts of long texts are remembered, as with a tokenizer's `cache`.
   *
   * @default false
   */
  readonly cache?: boolean | CacheOptions;
}

const OPTIONS: Known<CountRequestOptions> = {
  model: true,
  unknownModel: true,
  format: true,
  cache: true,
};

/** What stands apart from messages and tools, in tokens. */
export interface ExtraCount {
  /** Where it stands, such as `messages[2].content[1]`. */
  readonly path: string;
  /**
   * What it is: the type of a medium, such as `"image_url"`; `"json_schema"` for that of an answer;
   * `"tool_prompt"` for what a provider adds to tools; `"text"` for text beside messages; or
   * `"unknown"` for a field that nobody knows, which is counted as text.
   */
  readonly type: string;
  /** What it costs, by an estimate. */
  readonly tokens: number;
  /** Where the provider publishes the rule; undefined for text. */
  readonly source?: string;
}

/** What {@linkcode countRequest} found. */
export interface RequestCount extends MessagesCount {
  /** The format that the body was taken for. */
  readonly format: RequestFormat;
  /**
   * How good `tokens` is:
   *
   * - `"exact"`: vocabulary and rule are published, and nothing is uncounted.
   * - `"frame"`: all texts are counted, and what a frame around messages and tools costs, as it was
   *   observed or as the nearest relative has it. `estimated` has the reasons.
   * - `"text"`: all texts are counted, and nothing else.
   */
  readonly estimate: "exact" | "frame" | "text";
  /** What is counted apart, always by an estimate; part of `tokens`. */
  readonly extras: readonly ExtraCount[];
}

/**
 * The tokens that the prompt of a request costs, from the body as it came.
 *
 * Takes the bodies of OpenAI's Chat Completions, Responses, embeddings and legacy completions,
 * Anthropic's Messages, Gemini's `generateContent` and the AI SDK's messages. No text is dropped in
 * silence: every string that is not an identifier, a setting, an address or a payload of the format is
 * counted or listed in `uncounted` with its place. A field that nobody knows is counted as text and
 * listed in `extras` as `"unknown"`; so is the whole of a body of another shape.
 *
 * `tokens` is the sum of `messages`, `tools`, `overhead` and `extras`. Images that are in the body are
 * estimated by the rule that their provider publishes; schemas of answers by their JSON.
 *
 * O(size of the body). Never throws for what stands in a body, however deep, wrong or circular.
 *
 * @param body What `await request.json()` gave, or its text or bytes. What is no JSON is counted as text.
 * @param options The model and format where the body does not say them.
 * @throws {TypeError} If `body` is undefined, a function, a symbol or a bigint, or an option has a wrong
 * type.
 * @throws {RangeError} If `format` or `unknownModel` is none.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL` with `unknownModel: "refuse"`.
 *
 * @example
 * ```ts
 * import { countRequest } from "./mod.ts";
 *
 * const count = countRequest({
 *   model: "claude-sonnet-4-5",
 *   max_tokens: 1024,
 *   system: "You are a helpful assistant.",
 *   messages: [{ role: "user", content: "Hello!" }],
 * });
 * console.log(count.format, count.tokens, count.estimate); // anthropic-messages 19 frame
 * ```
 */
export function countRequest(body: unknown, options: CountRequestOptions = {}): RequestCount {
  checkKnown<CountRequestOptions>("options", options, OPTIONS);
  const parsed = parse(body);
  const format = checkFormat(options.format) ?? recognise(parsed);
  const resolved = lookUpModel(modelOf(parsed, options), options.unknownModel);
  const counter = sharedTokenizer(resolved.encoding, options.cache);
  return countBody(parsed, format, resolved, (text) => counter.count(text));
}

/** See {@linkcode countRequest}; `count` is asked once for each text. */
export function countBody(
  body: unknown,
  format: RequestFormat,
  resolved: ResolvedModel,
  count: (text: string) => number,
): RequestCount {
  const reader = new BodyReader();
  if (format === "unknown") reader.unknown(body, "");
  else reader.read(body, FORMATS[format].rule, "");
  return new Count(reader, format, resolved, (text) => text === "" ? 0 : count(text)).result(body);
}

function parse(body: unknown): unknown {
  if (body instanceof Uint8Array) return parse(new TextDecoder().decode(body));
  if (typeof body === "string") {
    try {
      return JSON.parse(body);
    } catch {
      return body;
    }
  }
  if (!["object", "number", "boolean"].includes(typeof body)) {
    throw new TypeError(`body must be a JSON value, its text or its bytes, not ${show(body)}`);
  }
  return body;
}

function modelOf(body: unknown, { model }: CountRequestOptions): string {
  if (model !== undefined) {
    if (typeof model !== "string") {
      throw new TypeError(`model must be a string, not ${show(model)}`);
    }
    return model;
  }
  const named = typeof body === "object" && body !== null
    ? (body as { model?: unknown }).model
    : undefined;
  return typeof named === "string" ? named : "";
}

function checkFormat(format: unknown): RequestFormat | undefined {
  if (format === undefined) return undefined;
  if (typeof format !== "string") {
    throw new TypeError(`format must be a string, not ${show(format)}`);
  }
  if ((REQUEST_FORMATS as readonly string[]).includes(format)) return format as RequestFormat;
  throw new RangeError(`format must be one of ${REQUEST_FORMATS.join(", ")}, not ${show(format)}`);
}

/** A body that was read, as it is counted. */
class Count {
  readonly #reader: BodyReader;
  readonly #format: RequestFormat;
  readonly #how: Format | undefined;
  readonly #resolved: ResolvedModel;
  readonly #rules: ChatRules;
  readonly #count: (text: string) => number;
  readonly #chat: ChatRequest;
  readonly #extras: ExtraCount[] = [];

  constructor(
    reader: BodyReader,
    format: RequestFormat,
    resolved: ResolvedModel,
    count: (text: string) => number,
  ) {
    this.#reader = reader;
    this.#format = format;
    this.#how = format === "unknown" ? undefined : FORMATS[format];
    this.#resolved = resolved;
    this.#rules = chatRules(resolved);
    this.#count = count;
    this.#chat = new ChatRequest(this.#rules, count);
    if (this.#how?.hasFrame !== true) this.#chat.overhead = 0;
  }

  result(body: unknown): RequestCount {
    const { prompt, ids, uncounted } = this.#reader;
    const tools = this.#tools(prompt);
    const messages = this.#how?.hasFrame === true
      ? this.#framed(prompt, body)
      : [...prompt.messages.map((message) => this.#bare(message)), ...ids.map(idsOnly)];
    this.#addExtras();
    const lost = [
      ...uncounted.map(({ path, it }) => ({ path, type: it })),
      ...this.#chat.uncounted,
    ];
    const { overhead } = this.#chat;
    let tokens = overhead;
    for (const part of [messages, tools, this.#extras].flat()) tokens += part.tokens;
    const estimated = this.#reasons(tools);
    const exact = estimated.length === 0 && lost.length === 0;
    return {
      format: this.#format,
      estimate: exact ? "exact" : this.#how?.hasFrame === true ? "frame" : "text",
      tokens,
      messages,
      tools,
      overhead,
      extras: this.#extras,
      uncounted: lost,
      estimated,
      exact,
      encoding: this.#resolved.encoding,
    };
  }

  #framed(prompt: Prompt, body: unknown): readonly MessageCount[] {
    const hasTools = prompt.tools.length > 0 && this.#how?.tools === "namespace";
    this.#chat.readMessages(prompt.messages.map(chatMessage), hasTools);
    const choice = (body as { function_call?: unknown } | null)?.function_call;
    const isChoice = typeof choice === "string" ||
      typeof (choice as { name?: unknown } | null | undefined)?.name === "string";
    if (this.#format === "openai-chat" && isChoice) this.#chat.readFunctionCall(choice);
    return this.#chat.messages;
  }

  #bare({ role, texts }: PromptMessage): MessageCount {
    const content = texts.reduce((sum, text) => sum + this.#count(text), 0);
    return { role, tokens: content, content, name: 0, calls: 0, frame: 0 };
  }

  #tools({ tools }: Prompt): readonly ToolCount[] {
    if (this.#how?.tools === "json") return tools.map((tool) => this.#jsonTool(tool));
    this.#chat.readTools(tools);
    return this.#chat.tools;
  }

  #jsonTool({ path, name, description, parameters }: PromptTool): ToolCount {
    const schema = parameters === undefined
      ? ""
      : jsonText(parameters) ?? writeJson(parameters, path).text;
    return { name, tokens: this.#count(name) + this.#count(description) + this.#count(schema) };
  }

  #addExtras(): void {
    const { prompt, media, schemas, strange, uncounted } = this.#reader;
    for (const { path, text } of prompt.loose) this.#extra(path, "text", this.#count(text));
    for (const { path, it } of media) {
      const cost = mediumCost(it, this.#resolved.model);
      if (cost === undefined) uncounted.push({ path, it: it.type });
      else this.#extra(path, it.type, cost.tokens, cost.source);
    }
    for (const { path, it } of schemas) {
      this.#extra(path, "json_schema", this.#count(it), this.#how?.schemas);
    }
    if (this.#format === "anthropic-messages" && prompt.tools.length > 0) {
      this.#extra("tools", "tool_prompt", TOOL_PROMPT, TOOL_PROMPT_SOURCE);
    }
    for (const { path, it } of strange) this.#extra(path, "unknown", this.#count(it));
  }

  #extra(path: string, type: string, tokens: number, source?: string): void {
    this.#extras.push({ path, type, tokens, ...(source === undefined ? {} : { source }) });
  }

  #reasons(tools: readonly ToolCount[]): EstimateReason[] {
    const reasons: EstimateReason[] = [];
    if (!this.#resolved.exact) reasons.push("vocabulary");
    const isFrameKnown = this.#how?.isPublished === true &&
      (this.#rules.observed || !this.#how.hasFrame);
    if (!isFrameKnown) reasons.push("frame");
    if (tools.length > 0) reasons.push("tools");
    if (this.#chat.hasCalls) reasons.push("calls");
    const isUnknown = ({ type }: ExtraCount) => type === "unknown" || type === "text";
    if (this.#reader.hasAsides || this.#extras.some(isUnknown)) reasons.push("fields");
    if (this.#extras.some((extra) => !isUnknown(extra))) reasons.push("extras");
    return reasons;
  }
}

/** What Anthropic's models are told about tools, with `tool_choice` "auto", for Claude 4. */
const TOOL_PROMPT = 346;
const TOOL_PROMPT_SOURCE =
  "https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing";

/** A text that came as ids is as many tokens. */
function idsOnly({ it }: { readonly it: number }): MessageCount {
  return { role: "ids", tokens: it, content: it, name: 0, calls: 0, frame: 0 };
}

/** A message of any format as one of the Chat Completions API, so that all are counted alike. */
function chatMessage({ role, texts, name, calls, answers }: PromptMessage): ChatMessage {
  const [text] = texts;
  const legacy = calls.find(({ kind }) => kind === "legacy");
  const others = calls.filter((call) => call !== legacy).map(({ kind, id, name, input }) => ({
    ...(id === undefined ? {} : { id }),
    ...(kind === "custom"
      ? { type: "custom", custom: { name, input } }
      : { type: "function", function: { name, arguments: input } }),
  }));
  return {
    role,
    content: texts.length < 2 ? text ?? null : texts.map((text) => ({ type: "text", text })),
    name,
    tool_call_id: answers,
    tool_calls: others.length === 0 ? undefined : others,
    function_call: legacy === undefined
      ? undefined
      : { name: legacy.name, arguments: legacy.input },
  };
}
