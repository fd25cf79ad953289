/**
 * Values of a request as JSON.
 *
 * @module
 */

/**
 * What is nested deeper is not written: Bun takes a second to write 60 kB of brackets that are nested
 * 30,000 deep, and throws beyond. Real calls and schemas have a handful of levels.
 */
const DEEPEST = 64;

/** `value` as JSON, or undefined if it is nested too deep or no JSON. O(size). */
export function jsonText(value: unknown): string | undefined {
  if (!isWithin(value, DEEPEST)) return undefined;
  try {
    return JSON.stringify(value);
  } catch {
    // A cycle, or a bigint.
    return undefined;
  }
}

/** `json` without space between its parts; as it is if it is no JSON, or nested too deep. O(length). */
export function compactJson(json: string): string {
  let compact: string | undefined;
  try {
    compact = jsonText(JSON.parse(json));
  } catch {
    // No JSON.
  }
  if (compact === undefined) return json;
  // Of keys that come twice only the last is parsed. Without them, no more is lost than spaces and, for
  // each escape, five characters.
  const stripped = json.replace(SPACES, "$1");
  const escapes = stripped.split("\\").length - 1;
  return compact.length + 5 * escapes >= stripped.length ? compact : stripped;
}

/** A string as it is, or space outside of strings. */
const SPACES = /("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g;

/** Whether `value` is nested no deeper; by breadth, so that a cycle ends it. O(size). */
function isWithin(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  const seen: Set<object> = new Set();
  for (let depth = 0; depth <= levels; depth++) {
    const next: unknown[] = [];
    for (const it of level) {
      if (typeof it !== "object" || it === null || seen.has(it)) continue;
      seen.add(it);
      for (const inner of Object.values(it)) {
        if (typeof inner === "object" && inner !== null) next.push(inner);
      }
    }
    if (next.length === 0) return true;
    level = next;
  }
  return false;
}
