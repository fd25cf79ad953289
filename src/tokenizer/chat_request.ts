/**
 * A validating reader of Chat Completions requests, which counts each text as it reads it.
 *
 * @module
 */
import type { ChatRules } from "./chat_rules.ts";
import { checkArray } from "../arguments.ts";
import { show } from "../errors.ts";
import { callText, type ChatFields, fields, otherFormat, present, string } from "./chat_shape.ts";
import { compactJson } from "./json_text.ts";
import { formatOfPart } from "./request/formats.ts";
import { pathOf } from "./request/json_writer.ts";
import { firstParameter, isCommented, type ToolDefinition, toolText } from "./tool_text.ts";

/** A part of a request whose cost in tokens is not known. */
export interface UncountedPart {
  /** Its path, such as `messages[2].content[1]`. */
  readonly path: string;
  /** Its type, such as `"image_url"`. */
  readonly type: string;
}

/** The cost of one message, in tokens. */
export interface MessageCount {
  /** Its role. */
  readonly role: string;
  /** The sum of the fields below. */
  readonly tokens: number;
  /** Its text or text parts, and a refusal. */
  readonly content: number;
  /** Its name. */
  readonly name: number;
  /** The calls that it makes, or the call that it answers. */
  readonly calls: number;
  /** Its role and the special tokens around it. */
  readonly frame: number;
}

/** The cost of one tool, in tokens. */
export interface ToolCount {
  /** Its name. */
  readonly name: string;
  /** Its name, its description and its parameters. */
  readonly tokens: number;
}

/** A call that an answer may refer to. */
interface Call {
  readonly name: string;
  readonly parallel: boolean;
  /** The cost of an answer to it, once it was computed. Any number of answers may refer to the call. */
  answer?: number;
}

/**
 * The counts of a request that is being read.
 *
 * Each text is counted by a call of its own. For up to about twenty texts that is faster than a batch, and for
 * long texts whatever their number (record: `bench/record`, batch table).
 */
export class ChatRequest {
  readonly messages: MessageCount[] = [];
  readonly tools: ToolCount[] = [];
  /** Tokens that belong to no message and no tool. */
  overhead: number;
  readonly uncounted: UncountedPart[] = [];
  /** Whether there are calls of tools, whose costs are inferred. */
  hasCalls = false;
  /** Whether there are texts for which OpenAI does not document a charge. */
  hasAsides = false;
  readonly #rules: ChatRules;
  readonly #countText: (text: string) => number;
  readonly #roles: Map<string, number> = new Map();
  readonly #calls: Map<string, Call> = new Map();

  constructor(rules: ChatRules, countText: (text: string) => number) {
    this.#rules = rules;
    this.#countText = countText;
    this.overhead = rules.reply;
  }

  readMessages(messages: unknown, hasTools: boolean): void {
    checkArray("messages", messages);
    let above = hasTools;
    messages.forEach((value, i) => {
      const path = `messages[${i}]`;
      const message = fields(path, value);
      const role = string(`${path}.role`, message.role);
      // The headings of the tools are in the first system message, after an empty line. The end of its text
      // and that line may be one token.
      const holdsTools = above && (role === "system" || role === "developer");
      if (holdsTools) above = false;
      this.messages.push(this.#message(path, role, message, holdsTools ? "\n\n" : ""));
    });
    if (hasTools) this.overhead += this.#rules.tools + (above ? this.#rules.toolsAlone : 0);
  }

  readTools(tools: readonly ToolDefinition[]): void {
    if (tools.length === 0) return;
    const { frame, pieces, partial } = toolText(tools, this.#rules.style);
    for (const { path } of partial) {
      if (path !== undefined) this.uncounted.push({ path, type: "schema" });
    }
    for (const text of frame) this.overhead += this.#count(text);
    if (tools[0]!.description === "") this.overhead += this.#rules.bareTool;
    tools.forEach((tool, i) => {
      const first = firstParameter(tool);
      const bare = first !== undefined && !isCommented(first) ? this.#rules.bareParameters : 0;
      this.tools.push({ name: tool.name, tokens: bare + this.#count(pieces[i]!) });
    });
  }

  /** Reads `function_call`, by which requests with `functions` choose a function. */
  readFunctionCall(value: unknown): void {
    if (!present(value) || value === "auto") return;
    if (value === "none") {
      this.overhead += 1;
      return;
    }
    const { name } = fields("function_call", value);
    this.overhead += 4 + this.#count(string("function_call.name", name));
  }

  #message(path: string, role: string, message: ChatFields, tail: string): MessageCount {
    const content = this.#content(`${path}.content`, message.content, tail) +
      this.#optional(`${path}.refusal`, message.refusal) +
      this.#aside(`${path}.reasoning_content`, message.reasoning_content) +
      this.#aside(`${path}.reasoning`, message.reasoning);
    this.#refuseOthers(path, message);
    let name = 0;
    let frame = this.#rules.message + this.#role(role);
    if (present(message.name)) {
      name = this.#rules.name + this.#count(string(`${path}.name`, message.name));
      // According to the totals, the role of an answer is not written.
      if (role === "function") frame -= 2;
    }
    if (present(message.audio)) this.uncounted.push({ path: `${path}.audio`, type: "audio" });
    let calls = this.#legacyCall(`${path}.function_call`, message.function_call) +
      this.#toolCalls(`${path}.tool_calls`, message.tool_calls);
    if (role === "tool") calls += this.#answer(`${path}.tool_call_id`, message.tool_call_id);
    return { role, tokens: content + name + calls + frame, content, name, calls, frame };
  }

  #content(path: string, content: unknown, tail: string): number {
    if (!present(content)) return this.#count(tail);
    if (typeof content === "string") return this.#count(content + tail);
    if (!Array.isArray(content)) {
      throw new TypeError(
        `${path} must be a string, an array of parts or null, not ${show(content)}`,
      );
    }
    let tokens = 0;
    content.forEach((value: unknown, i) => {
      const at = `${path}[${i}]`;
      const part = fields(at, value);
      const type = string(`${at}.type`, part.type);
      const format = formatOfPart(part);
      if (format !== undefined) throw otherFormat(`${at}.type`, show(type), format);
      if (type !== "text" && type !== "refusal") {
        this.uncounted.push({ path: at, type });
        return;
      }
      const text = string(`${at}.${type}`, part[type]);
      tokens += this.#count(i === content.length - 1 ? text + tail : text);
    });
    return tokens;
  }

  /** Reasoning, which servers compatible with OpenAI's accept. */
  #aside(path: string, value: unknown): number {
    if (typeof value !== "string" || value === "") return 0;
    this.hasAsides = true;
    return this.#optional(path, value);
  }

  /** Refuses messages of other formats, and reports fields that would be dropped. */
  #refuseOthers(path: string, message: ChatFields): void {
    if (Array.isArray(message.parts)) {
      throw otherFormat(`${path}.parts`, "an array", "ai-sdk or gemini");
    }
    for (const [key, value] of Object.entries(message)) {
      const isText = typeof value === "string" || typeof value === "object" && value !== null;
      if (isText && !MESSAGE_FIELDS.has(key)) {
        this.uncounted.push({ path: pathOf(path, key), type: "unknown" });
      }
    }
  }

  #legacyCall(path: string, value: unknown): number {
    if (!present(value)) return 0;
    this.hasCalls = true;
    const call = fields(path, value);
    const name = string(`${path}.name`, call.name);
    const json = callText(`${path}.arguments`, call.arguments);
    return this.#rules.call + this.#count(name) + this.#count(json);
  }

  #toolCalls(path: string, value: unknown): number {
    if (!present(value)) return 0;
    checkArray(path, value);
    const calls = value.map((call, i) => readCall(`${path}[${i}]`, call));
    const parallel = calls.length > 1;
    for (const { id, name } of calls) {
      if (id !== undefined) this.#calls.set(id, { name, parallel });
    }
    const [first] = calls;
    if (first === undefined) return 0;
    this.hasCalls = true;
    if (parallel) return this.#rules.parallelCalls + this.#count(parallelText(calls));
    return this.#rules.call + this.#count(first.name) + this.#count(compactJson(first.input));
  }

  /** An answer starts with the name of the function, unless it answers one of several parallel calls. */
  #answer(path: string, value: unknown): number {
    this.hasCalls = true;
    const id = present(value) ? string(path, value) : "";
    const call = this.#calls.get(id);
    if (call === undefined || call.parallel) return 0;
    return call.answer ??= this.#rules.answer + this.#count(`functions.${call.name}`);
  }

  #optional(path: string, value: unknown): number {
    return present(value) ? this.#count(string(path, value)) : 0;
  }

  #role(role: string): number {
    let tokens = this.#roles.get(role);
    if (tokens === undefined) {
      tokens = this.#count(role);
      this.#roles.set(role, tokens);
    }
    return tokens;
  }

  #count(text: string): number {
    return text === "" ? 0 : this.#countText(text);
  }
}

/** The fields of a message that are read or cost nothing. */
const MESSAGE_FIELDS: ReadonlySet<string> = new Set(
  `role content name refusal tool_calls tool_call_id function_call audio reasoning_content reasoning
   cache_control`.split(/\s+/),
);

interface ReadCall {
  readonly id: string | undefined;
  readonly name: string;
  readonly input: string;
}

function readCall(path: string, value: unknown): ReadCall {
  const call = fields(path, value);
  const type = call.type === "custom" ? "custom" : "function";
  const { name, ...rest } = fields(`${path}.${type}`, call[type]);
  const input = type === "custom" ? "input" : "arguments";
  return {
    id: typeof call.id === "string" ? call.id : undefined,
    name: string(`${path}.${type}.name`, name),
    input: callText(`${path}.${type}.${input}`, rest[input]),
  };
}

/** Parallel calls as one call of a tool that makes them. The totals confirm this to the token. */
function parallelText(calls: readonly ReadCall[]): string {
  const uses = calls.map(({ name, input }) =>
    `{"recipient_name":"functions.${name}","parameters":${compactJson(input)}}`
  );
  return `{"tool_uses":[${uses.join(",")}]}`;
}
