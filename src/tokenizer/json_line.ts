/**
 * What a line of JSON means: the plain definition, by `JSON.parse`, of what the library reads natively.
 *
 * @module
 */
import {
  LINE_BLANK,
  LINE_NO_FIELD,
  LINE_NOT_JSON,
  LINE_NOT_OBJECT,
  LINE_NOT_STRING,
  LINE_TOO_LONG,
} from "../ffi/symbols.gen.ts";

/** Not ignoring the BOM: it is not JSON. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text at `field` of a line that is valid UTF-8, or why there is none: a `LINE_*` constant. */
export function textOfLine(line: Uint8Array, field: string): string | number {
  let text: string;
  try {
    text = decoder.decode(line);
  } catch {
    // The runtime has no strings of this length.
    return LINE_TOO_LONG;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return /^[ \t\r\n]*$/.test(text) ? LINE_BLANK : LINE_NOT_JSON;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return LINE_NOT_OBJECT;
  const found = fieldOf(value as Readonly<Record<string, unknown>>, field);
  if (found === undefined) return LINE_NO_FIELD;
  return typeof found === "string" ? found : LINE_NOT_STRING;
}

/**
 * The value at `path` in `value`: the property of that name or, if there is none, the value at the names and
 * indices between its dots. Undefined if there is neither.
 */
export function fieldOf(value: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(value, path)) return value[path];
  let found: unknown = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) {
      return undefined;
    }
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}
