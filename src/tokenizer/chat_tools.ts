/**
 * A validating reader of the tools of a Chat Completions request.
 *
 * @module
 */
import { checkArray } from "../arguments.ts";
import { show } from "../errors.ts";
import type { UncountedPart } from "./chat_request.ts";
import { type ChatFields, fields, otherFormat, present, string } from "./chat_shape.ts";
import type { ToolDefinition } from "./tool_text.ts";

/** The functions and custom tools of `tools` and `functions`. Other tools are added to `uncounted`. */
export function readTools(
  tools: unknown,
  functions: unknown,
  uncounted: UncountedPart[],
): ToolDefinition[] {
  const read: ToolDefinition[] = [];
  if (present(tools)) {
    checkArray("tools", tools);
    tools.forEach((value, i) => {
      const path = `tools[${i}]`;
      const tool = fields(path, value);
      if (isFlat(tool)) {
        throw otherFormat(
          `${path}.name`,
          show(tool.name),
          "openai-responses or anthropic-messages",
        );
      }
      const type = string(`${path}.type`, tool.type);
      if (type === "function") read.push(definition(`${path}.function`, tool.function));
      else if (type === "custom") read.push(definition(`${path}.custom`, tool.custom, true));
      else uncounted.push({ path, type });
    });
  }
  if (present(functions)) {
    checkArray("functions", functions);
    functions.forEach((value, i) => read.push(definition(`functions[${i}]`, value)));
  }
  return read;
}

/** Whether a tool has its name and schema next to its type, as in other APIs. */
function isFlat(tool: ChatFields): boolean {
  const isOwn = tool.type === undefined || tool.type === "function" || tool.type === "custom";
  return isOwn && typeof tool.name === "string" && !present(tool.function) && !present(tool.custom);
}

function definition(path: string, value: unknown, custom = false): ToolDefinition {
  const { name, description, parameters } = fields(path, value);
  return {
    name: string(`${path}.name`, name),
    description: present(description) ? string(`${path}.description`, description) : "",
    parameters: present(parameters) ? fields(`${path}.parameters`, parameters) : undefined,
    custom,
    path: `${path}.parameters`,
  };
}
