/**
 * Serializes tools as the text that models see: a TypeScript namespace. OpenAI documents it in the harmony format
 * for gpt-oss; for earlier models it was inferred from totals.
 *
 * @module
 */
import { jsonText } from "./json_text.ts";

/** Deeper schemas are written as `any`. */
const DEEPEST = 32;

/** The most references that are expanded in one tool. Further ones are written by name. */
const MOST_REFERENCES = 256;
/** The most characters that are written for references. Further ones are written by name. */
const MOST_REFERENCED = 1 << 17;

/** The types of JSON Schema. Others are written as `any`. */
const TYPES: ReadonlySet<unknown> = new Set(
  ["string", "number", "integer", "boolean", "null", "array", "object"],
);

/**
 * How schemas are written.
 *
 * - `"unions"`: unions and references are expanded, titles are left out, as in the totals of gpt-3.5.
 * - `"plain"`: titles are comments; unions and references are `any`, as in the totals of gpt-4o.
 * - `"harmony"`: as `"plain"`, with defaults as comments, as in the harmony format.
 */
export type ToolStyle = "unions" | "plain" | "harmony";

/** A function or custom tool after its checks. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** A JSON schema, or undefined for a tool without parameters. */
  readonly parameters: object | undefined;
  /** A custom tool takes a text instead of parameters. */
  readonly custom: boolean;
  /** Its path in the request. */
  readonly path?: string;
}

/** The text of tools, cut so that the counts of its parts add up to the count of the whole. */
export interface ToolText {
  /** The text before the first tool and after the last. */
  readonly frame: readonly [string, string];
  /** The text of each tool. */
  readonly pieces: readonly string[];
  /** The tools whose parameters have texts that were not written. */
  readonly partial: readonly ToolDefinition[];
}

/**
 * Serializes tools.
 *
 * The slashes that start a comment belong to the preceding part: o200k has line ends and the slashes after them
 * in one pre-token, so only a cut after them is between two tokens.
 */
export function toolText(tools: readonly ToolDefinition[], style: ToolStyle): ToolText {
  const mark = (i: number) => tools[i] !== undefined && tools[i].description !== "" ? "//" : "";
  const partial: ToolDefinition[] = [];
  const pieces = tools.map((tool, i) => {
    const description = tool.description === "" ? "" : ` ${tool.description}\n`;
    const { text, written } = signature(tool, style);
    if (!isAllWritten(tool.parameters, written)) partial.push(tool);
    return `${description}type ${tool.name} = ${text} => any;\n\n${mark(i + 1)}`;
  });
  const frame = [`namespace functions {\n\n${mark(0)}`, "} // namespace functions"] as const;
  return { frame, pieces, partial };
}

/** The first of a tool's parameters, if it has any. */
export function firstParameter({ parameters }: ToolDefinition): Schema | undefined {
  const [first] = properties((parameters ?? {}) as Schema);
  return first?.[1];
}

/** Whether a parameter has a description or a title. */
export function isCommented({ title, description }: Schema): boolean {
  return typeof title === "string" || (typeof description === "string" && description !== "");
}

/** A JSON schema from a request. It may have any structure. */
export type Schema = Readonly<Record<string, unknown>>;

interface Signature {
  readonly text: string;
  /** The strings of the schema that it contains. */
  readonly written: ReadonlySet<string>;
}

function signature(tool: ToolDefinition, style: ToolStyle): Signature {
  if (tool.custom) return { text: "(_: string)", written: new Set() };
  const root = (tool.parameters ?? {}) as Schema;
  if (properties(root).length === 0) return { text: "()", written: new Set() };
  const writer = new Writer(root, style);
  return { text: `(_: {\n${writer.members(root, 0, 0)}\n})`, written: writer.written };
}

/** Strings under these keys are keywords of JSON Schema or names within the schema. */
const WORDS: ReadonlySet<string> = new Set(
  ["type", "$ref", "$schema", "$id", "id", "format", "mapping", "propertyName"],
);

/** The longest keyword or name. */
const LONGEST_WORD = 128;

/**
 * Whether each text of `schema` is in `written`. Uses an explicit stack, because schemas may be deep or cyclic.
 * O(size).
 */
function isAllWritten(schema: object | undefined, written: ReadonlySet<string>): boolean {
  const stack: unknown[] = [schema];
  const seen: Set<object> = new Set();
  while (stack.length > 0) {
    const it = stack.pop();
    if (typeof it === "string") {
      if (it !== "" && !written.has(it)) return false;
    } else if (typeof it === "object" && it !== null && !seen.has(it)) {
      seen.add(it);
      for (const [key, inner] of Object.entries(it)) {
        if (!isWords(key, inner)) stack.push(inner);
        if (key.length > LONGEST_WORD) stack.push(key);
        if (key === "properties" && isSchema(inner)) {
          for (const name of Object.keys(inner)) stack.push(name);
        }
      }
    }
  }
  return true;
}

function isWords(key: string, value: unknown): boolean {
  const isWord = (it: unknown) => typeof it === "string" && it.length <= LONGEST_WORD;
  return WORDS.has(key) && (Array.isArray(value) ? value.every(isWord) : isWord(value));
}

class Writer {
  /** The texts of the schema that were written. */
  readonly written: Set<string> = new Set();
  readonly #root: Schema;
  readonly #style: ToolStyle;
  #references = 0;
  #referenced = 0;

  constructor(root: Schema, style: ToolStyle) {
    this.#root = root;
    this.#style = style;
  }

  members(schema: Schema, indent: number, depth: number): string {
    const required: ReadonlySet<unknown> = new Set(list(schema.required));
    const lines: string[] = [];
    for (const [name, property] of properties(schema)) {
      const { title, description } = property;
      this.written.add(name);
      if (typeof title === "string" && this.#style !== "unions") {
        lines.push(`// ${this.#wrote(title)}`, "//");
      }
      // According to the totals of gpt-3.5, nested objects have no comments.
      if (typeof description === "string" && description !== "") {
        if (indent === 0 || this.#style !== "unions") lines.push(`// ${this.#wrote(description)}`);
      }
      const optional = required.has(name) ? "" : "?";
      lines.push(
        `${name}${optional}: ${this.type(property, indent, depth + 1)},${this.#default(property)}`,
      );
    }
    const margin = " ".repeat(indent);
    return lines.map((line) => margin + line).join("\n");
  }

  type(schema: Schema, indent: number, depth: number): string {
    if (depth > DEEPEST) return "any";
    const { $ref, enum: values, type } = schema;
    const isUnion = $ref ?? schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (isUnion !== undefined && this.#style !== "unions") return "any";
    if (typeof $ref === "string") return this.#reference($ref, indent, depth);
    for (const choices of [schema.anyOf, schema.oneOf, schema.allOf]) {
      const schemas = list(choices).filter(isSchema);
      if (schemas.length > 0) {
        return schemas.map((s) => this.type(s, indent, depth + 1)).join(" | ");
      }
    }
    if (Array.isArray(values)) {
      return values.map((value) => jsonText(this.#wrote(value)) ?? "any").join(" | ");
    }
    if (Array.isArray(type)) {
      // Without duplicates, which would double the text on each level.
      return [...new Set(type)].map((one) =>
        TYPES.has(one) ? this.type({ ...schema, type: one }, indent, depth + 1) : "any"
      ).join(" | ");
    }
    switch (type) {
      case "string":
      case "number":
      case "boolean":
      case "null":
        return type;
      case "integer":
        return "number";
      case "array":
        return `${isSchema(schema.items) ? this.type(schema.items, indent, depth + 1) : "any"}[]`;
      case "object":
        return `{\n${
          this.members(schema, indent + (this.#style === "unions" ? 2 : 4), depth + 1)
        }\n}`;
      default:
        return "any";
    }
  }

  #default({ default: value }: Schema): string {
    if (this.#style !== "harmony" || value === undefined || value === null) return "";
    const text = typeof value === "string" ? this.#wrote(value) : jsonText(value);
    return ` // default: ${text ?? "any"}`;
  }

  #wrote<T>(value: T): T {
    if (typeof value === "string") this.written.add(value);
    return value;
  }

  /** A reference such as `#/$defs/Name`, which is common in schemas that were generated from classes. */
  #reference(path: string, indent: number, depth: number): string {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const definitions = this.#root.$defs ?? this.#root.definitions;
    const definition = isSchema(definitions) && Object.hasOwn(definitions, name)
      ? definitions[name]
      : undefined;
    if (!isSchema(definition) || ++this.#references > MOST_REFERENCES) return name;
    if (this.#referenced > MOST_REFERENCED) return name;
    const text = this.type(definition, indent, depth + 1);
    this.#referenced += text.length;
    return text;
  }
}

function properties(schema: Schema): [string, Schema][] {
  if (!isSchema(schema.properties)) return [];
  return Object.entries(schema.properties).filter((entry): entry is [string, Schema] =>
    isSchema(entry[1])
  );
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
