/**
 * The formats of request bodies, and a classifier that recognises them by their fields.
 *
 * @module
 */
import { AI_SDK } from "./ai_sdk.ts";
import { ANTHROPIC_MESSAGES } from "./anthropic_messages.ts";
import { GEMINI } from "./gemini.ts";
import { OPENAI_CHAT } from "./openai_chat.ts";
import { OPENAI_RESPONSES } from "./openai_responses.ts";
import type { Node } from "./rules.ts";
import { COMPLETIONS, EMBEDDINGS } from "./texts.ts";

/** The known formats. `"unknown"` is any other format; all of its text is counted. */
export const REQUEST_FORMATS = [
  "openai-chat",
  "openai-responses",
  "openai-embeddings",
  "openai-completions",
  "anthropic-messages",
  "gemini",
  "ai-sdk",
  "unknown",
] as const;

/** The name of a format. */
export type RequestFormat = typeof REQUEST_FORMATS[number];

/** How a format is counted. */
export interface Format {
  readonly rule: Node;
  /** Whether messages have special tokens around them, or consist of their texts only. */
  readonly hasFrame: boolean;
  /** Whether tools are counted as OpenAI serializes them, or as JSON. */
  readonly tools: "namespace" | "json";
  /** Whether OpenAI publishes how the format is counted. */
  readonly isPublished: boolean;
  /** Where the charge for the schema of a reply is documented. */
  readonly schemas: string;
}

const OPENAI = {
  hasFrame: true,
  tools: "namespace",
  isPublished: false,
  schemas: "https://cookbook.openai.com/articles/openai-harmony#structured-output",
} as const;

/** The formats by name. */
export const FORMATS: Readonly<Record<Exclude<RequestFormat, "unknown">, Format>> = {
  "openai-chat": { ...OPENAI, rule: OPENAI_CHAT, isPublished: true },
  "openai-responses": { ...OPENAI, rule: OPENAI_RESPONSES },
  "openai-embeddings": { ...OPENAI, rule: EMBEDDINGS, hasFrame: false, isPublished: true },
  "openai-completions": { ...OPENAI, rule: COMPLETIONS, hasFrame: false, isPublished: true },
  "anthropic-messages": {
    ...OPENAI,
    rule: ANTHROPIC_MESSAGES,
    tools: "json",
    schemas: "https://platform.claude.com/docs/en/build-with-claude/structured-outputs",
  },
  "gemini": {
    ...OPENAI,
    rule: GEMINI,
    tools: "json",
    schemas: "https://ai.google.dev/gemini-api/docs/structured-output",
  },
  "ai-sdk": { ...OPENAI, rule: AI_SDK },
};

type Fields = Readonly<Record<string, unknown>>;

/** The most messages, and parts of a message, that are examined to recognise a format. */
const EXAMINED = 64;

/** The format of `body`, recognised by fields that only one format has. O(1). */
export function recognise(body: unknown): RequestFormat {
  if (Array.isArray(body)) return ofMessages(body) ?? "unknown";
  if (!isObject(body)) return "unknown";
  if (has(body, "contents", "systemInstruction", "system_instruction")) return "gemini";
  if (Array.isArray(body["messages"])) {
    return ofMessages(body["messages"], body) ?? ofChatFields(body);
  }
  if (has(body, "input")) return isEmbedding(body) ? "openai-embeddings" : "openai-responses";
  if (has(body, "instructions", "previous_response_id")) return "openai-responses";
  if (isObject(body["prompt"]) && !Array.isArray(body["prompt"])) return "openai-responses";
  if (has(body, "prompt")) {
    const [first] = Array.isArray(body["prompt"]) ? body["prompt"] : [];
    return isObject(first) && !Array.isArray(first) ? "ai-sdk" : "openai-completions";
  }
  if (isObject(body["message"]) && has(body["message"], "parts")) return "ai-sdk";
  return "unknown";
}

/** Types of parts that only one format has. */
const PARTS: ReadonlyMap<string, RequestFormat> = new Map([
  ...names(
    "anthropic-messages",
    `tool_use tool_result thinking redacted_thinking document search_result server_tool_use
     web_search_tool_result mcp_tool_use mcp_tool_result container_upload`,
  ),
  ...names("ai-sdk", "tool-call tool-result reasoning tool-approval-request"),
  ...names("openai-responses", "input_text output_text input_image input_file"),
]);

function names(format: RequestFormat, list: string): [string, RequestFormat][] {
  return list.trim().split(/\s+/).map((name) => [name, format]);
}

/** The format of a part of a message, or of a message, if its type is unique to one format. */
export function formatOfPart(part: unknown): RequestFormat | undefined {
  if (!isObject(part)) return undefined;
  const { type } = part;
  if (typeof type !== "string") return undefined;
  // Anthropic and the AI SDK both have images.
  if (type === "image") return has(part, "source") ? "anthropic-messages" : "ai-sdk";
  if (type === "file") return has(part, "file") ? undefined : "ai-sdk";
  return PARTS.get(type);
}

function ofMessages(messages: readonly unknown[], body?: Fields): RequestFormat | undefined {
  let isChat = false;
  for (const message of messages.slice(0, EXAMINED)) {
    if (!isObject(message)) continue;
    const { content, parts } = message;
    if (Array.isArray(parts)) {
      return parts.some((part) => isObject(part) && has(part, "type")) || has(message, "id")
        ? "ai-sdk"
        : "gemini";
    }
    if (has(message, "toolInvocations", "experimental_attachments")) return "ai-sdk";
    if (Array.isArray(content)) {
      for (const part of content.slice(0, EXAMINED)) {
        const format = formatOfPart(part);
        if (format !== undefined) return format;
      }
    }
    isChat ||= has(message, "role");
  }
  return body === undefined && isChat ? "openai-chat" : undefined;
}

/** The format of messages that several formats have in common, recognised by the rest of the body. */
function ofChatFields(body: Fields): RequestFormat {
  if (has(body, "anthropic_version")) return "anthropic-messages";
  if (has(body, "maxOutputTokens", "toolChoice", "trigger")) return "ai-sdk";
  if (has(body, "system", "stop_sequences", "output_format", "output_config")) {
    return "anthropic-messages";
  }
  const [tool] = Array.isArray(body["tools"]) ? body["tools"] : [];
  if (isObject(tool) && has(tool, "input_schema")) return "anthropic-messages";
  const { model } = body;
  const isClaude = typeof model === "string" && /claude/i.test(model.slice(0, 256));
  const isOpenAi =
    has(body, "stream_options", "n", "stop", "response_format", "functions", "user") ||
    isObject(tool) && has(tool, "function");
  return isClaude && has(body, "max_tokens") && !isOpenAi ? "anthropic-messages" : "openai-chat";
}

function isEmbedding(body: Fields): boolean {
  const { model, input } = body;
  if (has(body, "instructions", "max_output_tokens", "tools")) return false;
  if (has(body, "encoding_format", "dimensions")) return true;
  if (Array.isArray(input)) {
    return typeof input[0] === "string" || typeof input[0] === "number" || Array.isArray(input[0]);
  }
  return typeof model === "string" && /embed/i.test(model.slice(0, 256));
}

function has(object: Fields, ...keys: string[]): boolean {
  return keys.some((key) => object[key] !== undefined && object[key] !== null);
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
