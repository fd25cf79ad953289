/**
 * The grammar of the AI SDK's messages: `UIMessage[]`, which `useChat` posts, and `ModelMessage[]`, which
 * `streamText` accepts, alone or in a body.
 *
 * Fields: <https://ai-sdk.dev/docs/reference/ai-sdk-core/ui-message> and
 * <https://ai-sdk.dev/docs/reference/ai-sdk-core/model-message>, with those of version 4.
 *
 * @module
 */
import type { Medium } from "./media.ts";
import { each, type Fields, list, type Node, OPTIONS, uncounted } from "./rules.ts";

/** A file. It is an image if its media type is one. */
function file(part: Record<string, unknown>): Medium {
  const mime = part["mediaType"] ?? part["mimeType"] ?? part["contentType"];
  const data = part["image"] ?? part["data"] ?? part["url"];
  const isImage = part["type"] === "image" ||
    typeof mime === "string" && mime.startsWith("image/");
  return { type: isImage ? "image" : "file", isImage, data };
}

const FILE: Fields = {
  ...each("image data url", "payload"),
  ...each("mediaType mimeType contentType filename name", "label"),
};

const OPTIONS_OF_PROVIDERS: Fields = each(
  `providerOptions providerMetadata callProviderMetadata resultProviderMetadata
   experimental_providerMetadata`,
  OPTIONS,
);

/** The result of a tool: a value, or an object of a type and a value. */
const OUTPUT: Node = {
  string: "text",
  items: "json",
  values: "json",
  fields: { type: "enum", value: "json" },
};

const CALL: Fields = {
  toolCallId: "callId",
  state: "enum",
  input: "callInput",
  args: "callInput",
  rawInput: "json",
  output: "json",
  result: "json",
  errorText: "text",
  // The model reads the reason of a denial in place of a result.
  approval: { fields: { id: "id", approved: "label", reason: "text", isAutomatic: "label" } },
  preliminary: "label",
  providerExecuted: "label",
  dynamic: "label",
  title: "label",
  step: "label",
};

const PART: Node = {
  fields: { type: "enum", state: "enum", id: "id", ...OPTIONS_OF_PROVIDERS },
  types: {
    text: { fields: { text: "text" } },
    reasoning: {
      fields: {
        text: "text",
        reasoning: "text",
        signature: "opaque",
        details: "json",
      },
      repeats: (part) => Array.isArray(part["details"]) ? ["reasoning"] : [],
    },
    "redacted-reasoning": uncounted("redacted-reasoning"),
    image: { medium: file, fields: FILE },
    file: { medium: file, fields: FILE },
    "step-start": { fields: {} },
    "source-url": uncounted("source-url"),
    "source-document": uncounted("source-document"),
    source: uncounted("source"),
    "dynamic-tool": { unit: "call", fields: { ...CALL, toolName: "callName" } },
    "tool-call": { unit: "call", fields: { ...CALL, toolName: "callName" } },
    "tool-result": {
      fields: {
        toolCallId: "answers",
        toolName: "text",
        output: OUTPUT,
        result: "json",
        isError: "label",
        content: "json",
        experimental_content: "json",
        providerExecuted: "label",
      },
    },
    "tool-invocation": { fields: { toolInvocation: invocation() } },
    "tool-approval-request": { fields: { approvalId: "id", toolCallId: "id" } },
    "tool-approval-response": {
      fields: { approvalId: "id", approved: "label", reason: "text", providerExecuted: "label" },
    },
  },
  prefixes: {
    "tool-": { unit: "call", fields: { ...CALL, type: "callType" } },
    // They are sent to a model only if the application converts them to text.
    "data-": uncounted("data"),
  },
};

/** A call of version 4. */
function invocation(): Node {
  return { unit: "call", fields: { ...CALL, toolName: "callName" } };
}

const MESSAGE: Node = {
  unit: "message",
  fields: {
    ...OPTIONS_OF_PROVIDERS,
    role: "role",
    id: "id",
    content: { string: "text", items: PART },
    parts: list(PART),
    toolInvocations: list(invocation()),
    experimental_attachments: list({ medium: file, fields: FILE }),
    reasoning: "text",
    createdAt: "label",
    metadata: uncounted("metadata"),
    annotations: uncounted("annotations"),
    data: uncounted("data"),
    revisionId: "id",
  },
  // The parts of version 4 repeat its text, reasoning and calls.
  repeats: (message) => {
    const { parts, content } = message;
    if (!Array.isArray(parts)) return [];
    const texts = parts.map((part) => {
      const { type, text } = (part ?? {}) as { type?: unknown; text?: unknown };
      return type === "text" && typeof text === "string" ? text : "";
    });
    return content === texts.join("") ? ["content"] : [];
  },
};

const TOOL: Node = {
  unit: "tool",
  fields: {
    ...OPTIONS_OF_PROVIDERS,
    type: "enum",
    name: "toolName",
    id: "id",
    description: "toolDescription",
    inputSchema: "toolParameters",
    parameters: "toolParameters",
    outputSchema: "aside",
    args: OPTIONS,
    strict: "label",
  },
};

/** The messages, or a body with messages. */
export const AI_SDK: Node = {
  items: MESSAGE,
  fields: {
    ...OPTIONS_OF_PROVIDERS,
    ...each("model id trigger messageId chatId", "id"),
    ...each(
      `headers toolChoice activeTools stopSequences maxOutputTokens maxTokens temperature topP topK
       presencePenalty frequencyPenalty seed maxRetries maxSteps stream`,
      OPTIONS,
    ),
    messages: list(MESSAGE),
    message: MESSAGE,
    system: { string: "text", unit: "message", role: "system", first: true },
    instructions: { string: "text", unit: "message", role: "system", first: true },
    prompt: { string: "text", unit: "message", role: "user", items: MESSAGE },
    tools: { items: TOOL, values: TOOL, keys: "text" },
  },
};
