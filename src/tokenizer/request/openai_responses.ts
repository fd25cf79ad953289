/**
 * The grammar of OpenAI's Responses API.
 *
 * Fields: <https://platform.openai.com/docs/api-reference/responses/create> and the types of npm's
 * `openai` 6.49.
 *
 * @module
 */
import { grammar, imageMedium, OPENAI_OPTIONS, otherMedium, ownTools } from "./openai_chat.ts";
import { each, type Fields, list, type Node, OPTIONS, uncounted } from "./rules.ts";

const MARKS: Fields = { prompt_cache_breakpoint: OPTIONS };

const PART: Node = {
  fields: { type: "enum", ...MARKS },
  types: {
    input_text: { fields: { text: "text" } },
    output_text: {
      fields: { text: "text", annotations: uncounted("annotations"), logprobs: OPTIONS },
    },
    text: { fields: { text: "text" } },
    summary_text: { fields: { text: "text" } },
    reasoning_text: { fields: { text: "text" } },
    refusal: { fields: { refusal: "text" } },
    input_image: {
      medium: imageMedium,
      fields: { image_url: "payload", file_id: "id", detail: "enum" },
    },
    input_file: {
      medium: otherMedium,
      fields: {
        file_data: "payload",
        file_url: "payload",
        file_id: "id",
        filename: "label",
        detail: "enum",
      },
    },
    input_audio: {
      medium: otherMedium,
      fields: { input_audio: { fields: { data: "payload", format: "enum" } } },
    },
  },
};

const CONTENT: Node = { string: "text", items: PART };

const TOOL: Node = {
  fields: { type: "enum", allowed_callers: OPTIONS, defer_loading: "label" },
  types: {
    function: {
      unit: "tool",
      fields: {
        name: "toolName",
        description: "toolDescription",
        parameters: "toolParameters",
        output_schema: "json",
        strict: "label",
      },
    },
    custom: {
      unit: "customTool",
      fields: { name: "toolName", description: "toolDescription", format: grammar() },
    },
    namespace: {
      fields: { name: "text", description: "text" },
    },
    ...ownTools(),
  },
};

// A namespace contains tools.
(TOOL.types!["namespace"]!.fields as Record<string, Node>)["tools"] = list(TOOL);

const ANSWER: Node = {
  unit: "message",
  role: "tool",
  fields: { call_id: "answers", output: CONTENT, max_output_length: "label" },
};

const ITEM: Node = {
  fields: { type: "enum", id: "id", status: "enum", caller: OPTIONS, phase: "enum" },
  untyped: "message",
  types: {
    message: { unit: "message", fields: { role: "role", content: CONTENT } },
    function_call: {
      unit: "call",
      fields: { call_id: "callId", name: "callName", arguments: "callInput", namespace: "label" },
    },
    function_call_output: ANSWER,
    custom_tool_call: {
      unit: "customCall",
      fields: { call_id: "callId", name: "callName", input: "callInput", namespace: "label" },
    },
    custom_tool_call_output: ANSWER,
    local_shell_call_output: ANSWER,
    apply_patch_call_output: ANSWER,
    shell_call_output: {
      ...ANSWER,
      fields: { ...ANSWER.fields, output: "json" },
    },
    computer_call_output: {
      unit: "message",
      role: "tool",
      fields: {
        call_id: "answers",
        acknowledged_safety_checks: "json",
        output: {
          medium: imageMedium,
          fields: { type: "enum", image_url: "payload", file_id: "id", detail: "enum" },
        },
      },
    },
    reasoning: {
      unit: "message",
      role: "assistant",
      fields: {
        summary: CONTENT,
        content: CONTENT,
        encrypted_content: uncounted("encrypted_content"),
      },
    },
    compaction: { fields: { encrypted_content: uncounted("encrypted_content") } },
    item_reference: uncounted("item_reference"),
    image_generation_call: uncounted("image_generation_call"),
    compaction_trigger: { fields: {} },
    additional_tools: { fields: { role: "enum", tools: list(TOOL) } },
    ...calls({
      computer_call: "action actions pending_safety_checks",
      web_search_call: "action",
      file_search_call: "queries results",
      code_interpreter_call: "code outputs",
      local_shell_call: "action",
      shell_call: "action environment",
      apply_patch_call: "operation",
      tool_search_call: "arguments",
      tool_search_output: "tools",
      mcp_call: "name arguments output error",
      mcp_list_tools: "tools error",
      mcp_approval_request: "name arguments",
      mcp_approval_response: "approve reason",
      program: "code",
      program_output: "result",
    }),
  },
};

/** Calls of OpenAI's own tools. Their serialization is not published, so they are counted as JSON. */
function calls(fieldsOf: Readonly<Record<string, string>>): Record<string, Node> {
  const ids = each(
    "call_id server_label approval_request_id container_id execution fingerprint",
    "id",
  );
  const max = each("max_output_length", "label");
  return Object.fromEntries(
    Object.entries(fieldsOf).map(([type, names]) => [type, {
      unit: "message",
      role: "assistant",
      fields: { ...ids, ...max, ...each(names, "json") },
    }]),
  );
}

/** The whole body. */
export const OPENAI_RESPONSES: Node = {
  fields: {
    ...OPENAI_OPTIONS,
    instructions: {
      string: "text",
      items: ITEM,
      unit: "message",
      role: "system",
      first: true,
    },
    input: { string: "text", unit: "message", role: "user", items: ITEM },
    tools: list(TOOL),
    tool_choice: OPTIONS,
    text: {
      fields: {
        verbosity: "enum",
        format: {
          fields: { type: "enum" },
          types: {
            text: { fields: {} },
            json_object: { fields: {} },
            json_schema: {
              fields: {
                name: "schema",
                description: "schema",
                schema: "schema",
                strict: "label",
              },
            },
          },
        },
      },
    },
    prompt: {
      fields: {
        id: uncounted("prompt"),
        version: "id",
        variables: { values: { ...CONTENT, ...PART } },
      },
    },
    previous_response_id: uncounted("previous_response_id"),
    conversation: uncounted("conversation"),
    reasoning: OPTIONS,
    include: OPTIONS,
    context_management: OPTIONS,
    truncation: "enum",
    max_output_tokens: "label",
    max_tool_calls: "label",
  },
};
