/**
 * A grammar of request bodies: how each field of an API is counted.
 *
 * Each format is one table of these rules. A field that is in no table is counted as text, so a field that a
 * provider adds later is not dropped.
 *
 * @module
 */
import type { Medium } from "./media.ts";

/**
 * The kind of a value in a known field:
 *
 * - `"text"`: text that the model reads. It is counted with its message.
 * - `"aside"`: the same, but no provider documents a charge for it.
 * - `"json"`: a value of any type that the model reads as JSON.
 * - `"id"`, `"enum"`, `"label"`: identifiers, enum values, and settings and labels that the model does not read.
 *   They cost nothing if they are short enough for such a string.
 * - `"url"`: a URL. `"opaque"`: a signature. They cost nothing, whatever their length, if they have that form.
 * - `"payload"`: the data of a medium, which the rule of the medium estimates or reports.
 * - `"schema"`: the JSON schema of the reply.
 * - The others are parts of a message, a call or a tool.
 */
export type Leaf =
  | "text"
  | "aside"
  | "json"
  | "id"
  | "enum"
  | "label"
  | "url"
  | "opaque"
  | "payload"
  | "schema"
  | "role"
  | "name"
  | "answers"
  | "callId"
  | "callName"
  | "callType"
  | "callInput"
  | "toolName"
  | "toolDescription"
  | "toolParameters";

/** The fields of an object. */
export type Fields = Readonly<Record<string, Rule>>;

/** A unit of a prompt, which starts and ends with a value. */
export type Unit = "message" | "call" | "customCall" | "legacyCall" | "tool" | "customTool";

/** The rules of a value by its JSON type. A value of another type is counted as unknown text. */
export interface Node {
  /** A string. */
  readonly string?: Leaf;
  /** An array of these. */
  readonly items?: Rule;
  /** Whether an array of numbers is a text as token ids. */
  readonly tokenIds?: boolean;
  /** An object with these fields. */
  readonly fields?: Fields;
  /** An object of several types, chosen by its `type`. `fields` are common to all. */
  readonly types?: Readonly<Record<string, Node>>;
  /** The same, by a prefix of the `type`. */
  readonly prefixes?: Readonly<Record<string, Node>>;
  /** The type of an object that has none. */
  readonly untyped?: string;
  /** An object with any keys and these values. */
  readonly values?: Rule;
  /** Any value. Its cost cannot be known, and it is reported as this type. */
  readonly uncounted?: string;
  /** The kind of the keys of `values`, if they are text. */
  readonly keys?: Leaf;
  /** The unit that a string or an object starts. */
  readonly unit?: Unit;
  /** Whether an array starts the unit, too. */
  readonly whole?: boolean;
  /** The role of a message without one. */
  readonly role?: string;
  /** Whether the message is the first of the prompt, wherever it is in the body. */
  readonly first?: boolean;
  /** Reads the object as a medium. */
  readonly medium?: (object: Readonly<Record<string, unknown>>) => Medium | undefined;
  /** Fields that repeat other fields of the object. */
  readonly repeats?: (object: Readonly<Record<string, unknown>>) => readonly string[];
}

/** The rule of a value. */
export type Rule = Leaf | Node;

/** Arrays of `rule`. */
export function list(rule: Rule): Node {
  return { items: rule };
}

/** One `node`, or an array of them. */
export function listOrOne(node: Node): Node {
  return { ...node, items: node };
}

/** A value whose cost cannot be known. */
export function uncounted(type: string): Node {
  return { uncounted: type };
}

/** Options with short values, nested to any depth. The model does not read them. */
export const OPTIONS: Node = (() => {
  const node: { string: Leaf; items: Rule; values: Rule } = {
    string: "label",
    items: "label",
    values: "label",
  };
  node.items = node;
  node.values = node;
  return node;
})();

/** The same rule for each of `names`. */
export function each(names: string, rule: Rule): Fields {
  return Object.fromEntries(names.trim().split(/\s+/).map((name) => [name, rule]));
}

/** camelCase fields in snake_case as well, since Google's APIs accept both. */
export function bothCases(fields: Fields): Fields {
  const both: Record<string, Rule> = { ...fields };
  for (const [name, rule] of Object.entries(fields)) {
    both[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = rule;
  }
  return both;
}
