/**
 * The cost of a request body in tokens, from what a {@linkcode BodyReader} found in it.
 *
 * @module
 */
import { ChatRequest, type MessageCount, type ToolCount } from "../chat_request.ts";
import { type ChatRules, chatRules } from "../chat_rules.ts";
import type { ChatMessage } from "../chat_types.ts";
import { jsonText } from "../json_text.ts";
import type { EstimateReason } from "../messages.ts";
import type { ResolvedModel } from "../models.ts";
import { type Format, FORMATS, type RequestFormat } from "./formats.ts";
import { writeJson } from "./json_writer.ts";
import { mediumCost } from "./media.ts";
import type { Prompt, PromptMessage, PromptTool } from "./prompt.ts";
import { BodyReader } from "./reader.ts";
import type { ExtraCount, RequestCount } from "./result.ts";

/** See {@linkcode countRequest}. `count` is called once for each text. */
export function countBody(
  body: unknown,
  format: RequestFormat,
  resolved: ResolvedModel,
  count: (text: string) => number,
): RequestCount {
  const reader = new BodyReader();
  if (format === "unknown") reader.unknown(body, "");
  else reader.read(body, FORMATS[format].rule, "");
  return new BodyCount(reader, format, resolved, (text) => text === "" ? 0 : count(text)).result(
    body,
  );
}

/** Counts a body that was read. */
class BodyCount {
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
    const { prompt, media, schemas, unknownTexts, uncounted } = this.#reader;
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
    for (const { path, it } of unknownTexts) this.#extra(path, "unknown", this.#count(it));
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

/** The tokens of Anthropic's prompt about tools, for Claude 4 with `tool_choice` "auto". */
const TOOL_PROMPT = 346;
const TOOL_PROMPT_SOURCE =
  "https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing";

/** A text that was sent as token ids. */
function idsOnly({ it }: { readonly it: number }): MessageCount {
  return { role: "ids", tokens: it, content: it, name: 0, calls: 0, frame: 0 };
}

/** A message of any format as one of the Chat Completions API, so that all formats are counted alike. */
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
