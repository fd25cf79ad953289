/**
 * Serializes any value as text similar to JSON, with an explicit stack, so that no depth or cycle overflows it.
 *
 * Strings are written without escapes, because they are counted as plain text.
 *
 * @module
 */

/** From this length on, a string in a base64 alphabet is taken for a payload: no language has such words. */
const PAYLOAD = 1024;

/** The text of a value, and the payloads that it leaves out. */
export interface WrittenJson {
  /** Keys, strings and numbers, with punctuation. */
  readonly text: string;
  /** The paths of payloads: base64 and `data:` URLs. */
  readonly payloads: readonly string[];
}

interface Step {
  readonly text?: string;
  readonly value?: unknown;
  readonly path?: string;
  /** The object that ends here. */
  readonly end?: object;
}

/** Serializes `value` at `path`. O(size). */
export function writeJson(value: unknown, path: string): WrittenJson {
  const pieces: string[] = [];
  const payloads: string[] = [];
  const open: Set<object> = new Set();
  const stack: Step[] = [{ value, path }];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    if (step.text !== undefined) pieces.push(step.text);
    if (step.end !== undefined) open.delete(step.end);
    if (step.path === undefined) continue;
    const it = step.value;
    if (typeof it === "string") {
      if (isPayload(it)) payloads.push(step.path);
      else pieces.push(`"`, it, `"`);
    } else if (ArrayBuffer.isView(it) || it instanceof ArrayBuffer) {
      payloads.push(step.path);
    } else if (typeof it !== "object" || it === null) {
      if (typeof it !== "function" && typeof it !== "symbol") pieces.push(String(it));
    } else if (!open.has(it)) {
      open.add(it);
      pushParts(it, step.path, stack);
    }
  }
  return { text: pieces.join(""), payloads };
}

/** Pushes the parts of an object or array on the stack, the first on top. */
function pushParts(it: object, path: string, stack: Step[]): void {
  if (Array.isArray(it)) {
    stack.push({ text: "]", end: it });
    for (let i = it.length - 1; i >= 0; i--) {
      stack.push({ value: it[i], path: `${path}[${i}]` });
      if (i > 0) stack.push({ text: "," });
    }
    stack.push({ text: "[" });
    return;
  }
  stack.push({ text: "}", end: it });
  const entries = Object.entries(it);
  for (let i = entries.length - 1; i >= 0; i--) {
    const [key, value] = entries[i]!;
    stack.push({ value, path: pathOf(path, key) });
    stack.push({ text: `${i > 0 ? "," : ""}"${key}":` });
  }
  stack.push({ text: "{" });
}

/** Whether a string is a `data:` URL, or long and in a base64 alphabet. O(length). */
export function isPayload(text: string): boolean {
  if (text.length < PAYLOAD) return /^data:[^,\s]{0,200};base64,/.test(text);
  return /^data:[^,\s]{0,200};base64,/.test(text) || /^[\w+/=-]*$/.test(text) && isMixed(text);
}

/** Whether a text mixes cases and digits early, as base64 does. "aaaa…" is padding, which is counted. */
function isMixed(text: string): boolean {
  const start = text.slice(0, 256);
  return /[A-Z]/.test(start) && /[a-z]/.test(start) && /\d/.test(text.slice(0, PAYLOAD));
}

/** `path` extended by `key`: `messages[2].content`, `tools["a b"]`. Long keys are cut. */
export function pathOf(path: string, key: string): string {
  const short = key.length > 64 ? `${key.slice(0, 63)}…` : key;
  if (!/^[A-Za-z_$][\w$]*$/.test(short)) return `${path}[${JSON.stringify(short)}]`;
  return path === "" ? short : `${path}.${short}`;
}
