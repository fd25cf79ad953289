/**
 * A grammar of request bodies: for each field of an API, what it is to the count.
 *
 * Each format is one table of these rules. A field that no table names is counted as text, so what a
 * provider adds tomorrow is never dropped.
 *
 * @module
 */
import type { Medium } from "./media.ts";

/**
 * What a string in a known field is:
 *
 * - `"text"`: text that the model reads, counted with the message that it stands in.
 * - `"aside"`: likewise, but no provider says whether it is charged.
 * - `"json"`: a value of any type that the model reads as JSON.
 * - `"id"`, `"enum"`, `"label"`: identifiers, words of a fixed list, and settings and labels that no
 *   model reads. They cost nothing as long as they are as short as such strings are.
 * - `"url"`: an address. `"opaque"`: a signature. They cost nothing, whatever their length, as long as
 *   they look like it.
 * - `"payload"`: the data of a medium, which the rule around it estimates or reports.
 * - `"schema"`: a JSON schema that the answer must meet.
 * - The others are the parts of a message, a call or a tool.
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

/** What begins with an object, and ends with it. */
export type Unit = "message" | "call" | "customCall" | "legacyCall" | "tool" | "customTool";

/** What a value may be, by its JSON type. What it may not be is counted as text that nobody knows. */
export interface Node {
  /** A string. */
  readonly string?: Leaf;
  /** An array of these. */
  readonly items?: Rule;
  /** An array of numbers is a text, as ids of tokens. */
  readonly tokenIds?: boolean;
  /** An object with these fields. */
  readonly fields?: Fields;
  /** An object whose `type` says which of these it is; `fields` are common to all. */
  readonly types?: Readonly<Record<string, Node>>;
  /** Likewise, by how the `type` begins. */
  readonly prefixes?: Readonly<Record<string, Node>>;
  /** The type of an object that has none. */
  readonly untyped?: string;
  /** An object with any keys, each of them one of these. */
  readonly values?: Rule;
  /** What the value, whatever it is, costs cannot be known: it is reported as this. */
  readonly uncounted?: string;
  /** What the keys of `values` are, if they are text. */
  readonly keys?: Leaf;
  /** What begins here: with a string or an object, and with an array if that is `whole`. */
  readonly unit?: Unit;
  readonly whole?: boolean;
  /** The role of a message that does not say one. */
  readonly role?: string;
  /** A message that stands before all others, wherever the body has it. */
  readonly first?: boolean;
  /** The medium that an object is. */
  readonly medium?: (object: Readonly<Record<string, unknown>>) => Medium | undefined;
  /** Fields that only repeat what other fields of this object say. */
  readonly repeats?: (object: Readonly<Record<string, unknown>>) => readonly string[];
}

/** What a value is. */
export type Rule = Leaf | Node;

/** Arrays of `rule`. */
export function list(rule: Rule): Node {
  return { items: rule };
}

/** One of `rule`, or an array of them. */
export function listOrOne(node: Node): Node {
  return { ...node, items: node };
}

/** A value that costs what cannot be known. */
export function uncounted(type: string): Node {
  return { uncounted: type };
}

/** Options with short values, to any depth: no model reads them. */
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

/** Each of `names` with the same rule. */
export function each(names: string, rule: Rule): Fields {
  return Object.fromEntries(names.trim().split(/\s+/).map((name) => [name, rule]));
}

/** camelCase fields in snake_case as well: Google's APIs take both. */
export function bothCases(fields: Fields): Fields {
  const both: Record<string, Rule> = { ...fields };
  for (const [name, rule] of Object.entries(fields)) {
    both[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = rule;
  }
  return both;
}
