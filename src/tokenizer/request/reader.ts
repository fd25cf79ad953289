/**
 * A recursive-descent reader of request bodies, bounded in depth and driven by the grammar of a format.
 *
 * No text can be lost: every value that no rule matches ends in {@linkcode BodyReader.unknown}, which counts all
 * of it.
 *
 * @module
 */
import { isPayload, pathOf, writeJson } from "./json_writer.ts";
import type { Medium } from "./media.ts";
import type { Leaf, Node, Rule } from "./rules.ts";
import { Prompt } from "./prompt.ts";
import { compactJson, jsonText } from "../json_text.ts";

/** Deeper values are counted as text. */
const DEEPEST = 64;

/** The longest identifier, label or enum value. OpenAI accepts labels of 512 characters. */
const LONGEST_LABEL = 512;

/** A value and its path. */
export interface Placed<T> {
  readonly path: string;
  readonly it: T;
}

/** The contents of a body. */
export class BodyReader {
  readonly prompt: Prompt = new Prompt();
  /** Texts of unknown fields. */
  readonly unknownTexts: Placed<string>[] = [];
  readonly media: Placed<Medium>[] = [];
  /** Schemas of replies, as JSON. */
  readonly schemas: Placed<string>[] = [];
  /** Types of parts that cannot be counted. */
  readonly uncounted: Placed<string>[] = [];
  /** Whether there are texts for which no provider documents a charge. */
  hasAsides = false;
  /** The lengths of texts that were sent as token ids. */
  readonly ids: Placed<number>[] = [];
  readonly #open: Set<object> = new Set();

  /** Reads `value` at `path` by `rule`. */
  read(value: unknown, rule: Rule, path: string): void {
    this.#read(value, rule, path, 0);
  }

  /** Counts all of `value` as text, and its key, if that is unknown as well. */
  unknown(value: unknown, path: string, key?: string): void {
    const { text, payloads } = writeJson(value, path);
    for (const payload of payloads) this.uncounted.push({ path: payload, it: "base64" });
    this.unknownTexts.push({ path, it: key === undefined ? text : `"${key}":${text}` });
  }

  #read(value: unknown, rule: Rule, path: string, depth: number): void {
    if (value === undefined || value === null) return;
    if (typeof rule === "string") {
      if (!this.#leaf(value, rule, path)) this.unknown(value, path);
      return;
    }
    if (rule.uncounted !== undefined) {
      if (!isEmpty(value)) this.uncounted.push({ path, it: rule.uncounted });
    } else if (typeof value === "string") {
      this.#string(value, rule, path, depth);
    } else if (typeof value !== "object") {
      // Numbers and booleans are not text.
    } else if (depth > DEEPEST || this.#open.has(value) || ArrayBuffer.isView(value)) {
      this.unknown(value, path);
    } else {
      this.#open.add(value);
      if (Array.isArray(value)) this.#array(value, rule, path, depth);
      else this.#object(value as Record<string, unknown>, rule, path, depth);
      this.#open.delete(value);
    }
  }

  /** A string may be a whole message. */
  #string(value: string, rule: Node, path: string, depth: number): void {
    if (rule.string === undefined) return this.unknown(value, path);
    const end = rule.unit === undefined ? undefined : this.#begin(rule, path);
    this.#read(value, rule.string, path, depth + 1);
    end?.();
  }

  #array(value: readonly unknown[], rule: Node, path: string, depth: number): void {
    const { items, tokenIds } = rule;
    if (tokenIds === true && value.length > 0 && value.every((it) => typeof it === "number")) {
      this.ids.push({ path, it: value.length });
      return;
    }
    if (items === undefined) return this.unknown(value, path);
    const end = rule.whole === true ? this.#begin(rule, path) : undefined;
    value.forEach((item, i) => this.#read(item, items, `${path}[${i}]`, depth + 1));
    end?.();
  }

  #object(value: Record<string, unknown>, rule: Node, path: string, depth: number): void {
    if (rule.types !== undefined) {
      const chosen = chosenType(value, rule);
      if (chosen === undefined) return this.unknown(value, path);
      // A type has its own fields and the common ones.
      rule = { ...rule, ...chosen, fields: { ...rule.fields, ...chosen.fields } };
      if (rule.uncounted !== undefined) {
        this.uncounted.push({ path, it: rule.uncounted });
        return;
      }
    }
    const { fields, values } = rule;
    if (fields === undefined && values === undefined) return this.unknown(value, path);
    const end = rule.unit === undefined ? undefined : this.#begin(rule, path);
    const medium = rule.medium?.(value);
    if (medium !== undefined) this.media.push({ path, it: medium });
    const repeats = rule.repeats?.(value);
    for (const [key, inner] of Object.entries(value)) {
      const at = pathOf(path, key);
      const known = fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
      const one = known ?? (key.length <= LONGEST_LABEL ? values : undefined);
      if (repeats?.includes(key)) continue;
      if (one !== undefined) {
        if (known === undefined && rule.keys !== undefined) this.#text(key, rule.keys, at);
        this.#read(inner, one, at, depth + 1);
      } else this.unknown(inner, at, key);
    }
    end?.();
  }

  #begin({ unit, role, first }: Node, path: string): () => void {
    return this.prompt.begin(unit!, path, role ?? "user", first === true);
  }

  /** Reads a value as `leaf`. False if it does not match. */
  #leaf(value: unknown, leaf: Leaf, path: string): boolean {
    switch (leaf) {
      case "json":
      case "callInput":
        return this.#json(value, leaf, path);
      case "schema":
        this.schemas.push({ path, it: jsonText(value) ?? writeJson(value, path).text });
        return true;
      case "toolParameters":
        return isObject(value) && this.prompt.setParameters(value);
    }
    if (typeof value === "number" || typeof value === "boolean") return true;
    if (leaf === "payload" && (ArrayBuffer.isView(value) || value instanceof URL)) return true;
    return typeof value === "string" && this.#text(value, leaf, path);
  }

  #text(value: string, leaf: Leaf, path: string): boolean {
    switch (leaf) {
      case "text":
        this.prompt.text(path, value);
        return true;
      case "aside":
        this.hasAsides = true;
        this.prompt.text(path, value);
        return true;
      case "id":
      case "enum":
      case "label":
        return value.length <= LONGEST_LABEL;
      case "url":
        return /^[a-z][a-z0-9+.-]*:\S*$/i.test(value) || isPayload(value);
      case "opaque":
        return /^[\w+/=.:-]*$/.test(value);
      case "payload":
        return true;
      case "callId":
      case "answers":
        return value.length <= LONGEST_LABEL && this.prompt.set(leaf, value);
      case "callType":
        return this.prompt.set("callName", value.replace(/^tool-/, ""));
      default:
        return this.prompt.set(leaf, value);
    }
  }

  /** A value that a model reads as JSON. A string of JSON is compacted, as APIs do. */
  #json(value: unknown, leaf: Leaf, path: string): boolean {
    let text: string;
    if (typeof value === "string") {
      text = leaf === "callInput" ? value : compactJson(value);
    } else {
      text = jsonText(value) ?? writeJson(value, path).text;
    }
    if (leaf === "callInput") return this.prompt.set("callInput", text);
    this.prompt.text(path, text);
    return true;
  }
}

/** The rule for an object of several types. */
function chosenType(value: Record<string, unknown>, rule: Node): Node | undefined {
  const type = value["type"] ?? rule.untyped;
  if (typeof type !== "string") return undefined;
  if (Object.hasOwn(rule.types!, type)) return rule.types![type];
  return Object.entries(rule.prefixes ?? {}).find(([prefix]) => type.startsWith(prefix))?.[1];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return value === "" || value === false || Array.isArray(value) && value.length === 0;
}
