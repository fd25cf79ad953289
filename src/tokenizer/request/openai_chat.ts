/**
 * The grammar of OpenAI's Chat Completions API, with the extensions of compatible servers.
 *
 * Fields: <https://platform.openai.com/docs/api-reference/chat/create>, the types of npm's `openai`
 * 6.49, and the documentation of DeepSeek, OpenRouter and vLLM.
 *
 * @module
 */
import type { Medium } from "./media.ts";
import { each, type Fields, list, type Node, OPTIONS, uncounted } from "./rules.ts";

/** Settings of OpenAI's APIs that the model does not read. */
export const OPENAI_OPTIONS: Fields = {
  ...each(
    `model user service_tier prompt_cache_key prompt_cache_retention safety_identifier
     reasoning_effort verbosity`,
    "id",
  ),
  ...each(
    `metadata stream_options prompt_cache_options moderation logit_bias stream store background
     temperature top_p n seed logprobs top_logprobs parallel_tool_calls frequency_penalty
     presence_penalty`,
    OPTIONS,
  ),
};

/** Settings of compatible servers. */
const COMPATIBLE_OPTIONS: Fields = each(
  `top_k min_p top_a repetition_penalty provider models route transforms plugins reasoning thinking
   enable_thinking usage include_reasoning chat_template_kwargs ignore_eos min_tokens stop_token_ids
   skip_special_tokens extra_body`,
  OPTIONS,
);

/** An image part, with a URL or a `data:` URL. */
export function imageMedium({ type, image_url: image, detail }: Record<string, unknown>): Medium {
  const nested = typeof image === "object" && image !== null
    ? image as { url?: unknown; detail?: unknown }
    : { url: image, detail };
  return {
    type: String(type),
    isImage: true,
    data: nested.url,
    detail: nested.detail ?? detail,
  };
}

/** A part that is neither text nor an image. */
export function otherMedium({ type }: Record<string, unknown>): Medium {
  return { type: String(type), isImage: false, data: undefined };
}

const CACHE_MARKS: Fields = each("cache_control prompt_cache_breakpoint", OPTIONS);

const CONTENT: Node = {
  string: "text",
  items: {
    fields: { type: "enum", ...CACHE_MARKS },
    types: {
      text: { fields: { text: "text" } },
      refusal: { fields: { refusal: "text" } },
      image_url: {
        medium: imageMedium,
        fields: {
          image_url: { string: "payload", fields: { url: "payload", detail: "enum" } },
          detail: "enum",
        },
      },
      input_audio: {
        medium: otherMedium,
        fields: { input_audio: { fields: { data: "payload", format: "enum" } } },
      },
      file: {
        medium: otherMedium,
        fields: {
          file: { fields: { file_data: "payload", file_id: "id", filename: "label" } },
        },
      },
    },
  },
};

const CALL: Node = {
  fields: { id: "callId", type: "enum", index: "label" },
  types: {
    function: {
      unit: "call",
      fields: { function: { fields: { name: "callName", arguments: "callInput" } } },
    },
    custom: {
      unit: "customCall",
      fields: { custom: { fields: { name: "callName", input: "callInput" } } },
    },
  },
  untyped: "function",
};

const MESSAGE: Node = {
  unit: "message",
  fields: {
    role: "role",
    content: CONTENT,
    name: "name",
    refusal: "text",
    tool_calls: list(CALL),
    tool_call_id: "answers",
    function_call: {
      unit: "legacyCall",
      fields: { name: "callName", arguments: "callInput" },
    },
    audio: uncounted("audio"),
    annotations: uncounted("annotations"),
    reasoning_content: "aside",
    reasoning: "aside",
    reasoning_details: "aside",
    prefix: "label",
    ...CACHE_MARKS,
  },
};

const FUNCTION: Fields = {
  type: "enum",
  name: "toolName",
  description: "toolDescription",
  parameters: "toolParameters",
  strict: "label",
};

const TOOL: Node = {
  fields: { type: "enum", ...CACHE_MARKS },
  types: {
    function: { unit: "tool", fields: { function: { fields: FUNCTION } } },
    custom: {
      unit: "customTool",
      fields: {
        custom: {
          fields: { name: "toolName", description: "toolDescription", format: grammar() },
        },
      },
    },
    ...ownTools(),
  },
  untyped: "function",
};

/** The grammar of a custom tool. */
export function grammar(): Node {
  return {
    fields: {
      type: "enum",
      syntax: "enum",
      definition: "aside",
      grammar: { fields: { syntax: "enum", definition: "aside" } },
    },
  };
}

/** OpenAI's own tools. The cost of their descriptions is not published. */
export function ownTools(): Record<string, Node> {
  const names = `web_search web_search_2025_08_26 web_search_preview web_search_preview_2025_03_11
    file_search code_interpreter image_generation local_shell shell computer
    computer_use_preview mcp apply_patch tool_search programmatic_tool_calling`;
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, uncounted(name)]));
}

/** The whole body, or its messages alone. */
export const OPENAI_CHAT: Node = {
  items: MESSAGE,
  fields: {
    ...OPENAI_OPTIONS,
    ...COMPATIBLE_OPTIONS,
    messages: list(MESSAGE),
    tools: list(TOOL),
    functions: list({ unit: "tool", fields: FUNCTION }),
    function_call: { string: "enum", fields: { name: "label" } },
    tool_choice: OPTIONS,
    response_format: {
      fields: { type: "enum", json_schema: "schema", schema: "schema" },
    },
    prediction: { fields: { type: "enum", content: asideContent() } },
    audio: OPTIONS,
    modalities: OPTIONS,
    web_search_options: uncounted("web_search"),
    stop: OPTIONS,
    max_tokens: "label",
    max_completion_tokens: "label",
  },
};

/** Predicted text, which is charged only as far as the reply differs from it. */
function asideContent(): Node {
  return {
    string: "aside",
    items: { fields: { type: "enum", text: "aside", ...CACHE_MARKS } },
  };
}
