/**
 * The grammar of Anthropic's Messages API, including the variants of Bedrock and Vertex.
 *
 * Fields: <https://platform.claude.com/docs/en/api/messages>.
 *
 * @module
 */
import type { Medium } from "./media.ts";
import { otherMedium } from "./openai_chat.ts";
import { each, type Fields, list, type Node, OPTIONS, type Rule, uncounted } from "./rules.ts";

const MARKS: Fields = { cache_control: OPTIONS, citations: uncounted("citations") };

function image({ type, source }: Record<string, unknown>): Medium {
  const { data, url } = (typeof source === "object" && source !== null ? source : {}) as {
    data?: unknown;
    url?: unknown;
  };
  return { type: String(type), isImage: true, data: data ?? url };
}

const SOURCE: Fields = {
  type: "enum",
  media_type: "enum",
  data: "payload",
  url: "payload",
  file_id: "id",
};

/** The content of a block, which may be blocks. */
const content: { string: "text"; items: Rule } = { string: "text", items: "text" };
const CONTENT: Node = content;

const RESULT: Node = {
  fields: { tool_use_id: "id", is_error: "label", content: CONTENT, caller: OPTIONS },
};

/** Results of Anthropic's own tools, which have text and encrypted data. */
const SERVER_RESULT: Node = {
  fields: { tool_use_id: "id", caller: OPTIONS, content: "json" },
};

const BLOCK: Node = {
  fields: { type: "enum", ...MARKS },
  types: {
    text: { fields: { text: "text" } },
    image: { medium: image, fields: { source: { fields: SOURCE } } },
    document: {
      fields: {
        title: "text",
        context: "text",
        citations: OPTIONS,
        source: {
          types: {
            text: { fields: { type: "enum", media_type: "enum", data: "text" } },
            content: { fields: { type: "enum", content: CONTENT } },
            base64: { medium: () => otherMedium({ type: "document" }), fields: SOURCE },
            url: { medium: () => otherMedium({ type: "document" }), fields: SOURCE },
            file: { medium: () => otherMedium({ type: "document" }), fields: SOURCE },
          },
        },
      },
    },
    search_result: {
      fields: { source: "text", title: "text", content: CONTENT, citations: OPTIONS },
    },
    thinking: { fields: { thinking: "text", signature: "opaque" } },
    redacted_thinking: uncounted("redacted_thinking"),
    tool_use: { unit: "call", fields: call() },
    server_tool_use: { unit: "call", fields: call() },
    mcp_tool_use: { unit: "call", fields: { ...call(), server_name: "label" } },
    tool_result: RESULT,
    mcp_tool_result: RESULT,
    container_upload: uncounted("container_upload"),
    tool_reference: { fields: { tool_name: "text" } },
    compaction: { fields: { content: "text" } },
    ...Object.fromEntries(
      `web_search_tool_result web_fetch_tool_result code_execution_tool_result
       bash_code_execution_tool_result text_editor_code_execution_tool_result
       tool_search_tool_result advisor_tool_result`.split(/\s+/).map((
        name,
      ) => [name, SERVER_RESULT]),
    ),
  },
};
content.items = BLOCK;

function call(): Fields {
  return { id: "callId", name: "callName", input: "callInput", caller: OPTIONS };
}

const MESSAGE: Node = { unit: "message", fields: { role: "role", content: CONTENT } };

const OWN_TOOL: Fields = {
  name: "toolName",
  description: "toolDescription",
  input_schema: "toolParameters",
  input_examples: "aside",
  strict: "label",
};

const TOOL: Node = {
  fields: {
    type: "enum",
    cache_control: OPTIONS,
    defer_loading: "label",
    allowed_callers: OPTIONS,
    eager_input_streaming: "label",
  },
  untyped: "custom",
  types: { custom: { unit: "tool", fields: OWN_TOOL } },
  prefixes: Object.fromEntries(
    `web_search_ web_fetch_ code_execution_ bash_ text_editor_ computer_ memory_ tool_search_
     advisor_ mcp_toolset`.split(/\s+/).map((name) => [name, uncounted(name.replace(/_$/, ""))]),
  ),
};

/** The whole body. */
export const ANTHROPIC_MESSAGES: Node = {
  fields: {
    ...each("model anthropic_version service_tier speed inference_geo", "id"),
    ...each(
      `metadata tool_choice thinking stop_sequences context_management betas anthropic_beta
       cache_control stream temperature top_p top_k`,
      OPTIONS,
    ),
    max_tokens: "label",
    messages: list(MESSAGE),
    system: { ...CONTENT, unit: "message", role: "system", first: true, whole: true },
    tools: list(TOOL),
    mcp_servers: uncounted("mcp_servers"),
    container: uncounted("container"),
    output_format: { fields: { type: "enum", schema: "schema" } },
    output_config: {
      fields: {
        effort: "enum",
        task_budget: OPTIONS,
        format: { fields: { type: "enum", schema: "schema" } },
      },
    },
  },
};
