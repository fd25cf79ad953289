/**
 * JSON serialization of values from requests, bounded in depth.
 *
 * @module
 */

/**
 * Deeper values are not written: Bun takes a second for 60 kB of brackets that are nested 30,000 deep, and
 * throws beyond. Real calls and schemas have a few levels.
 */
const DEEPEST = 64;

/** `value` as JSON, or undefined if it is too deep or cannot be serialized. O(size). */
export function jsonText(value: unknown): string | undefined {
  if (!isWithin(value, DEEPEST)) return undefined;
  try {
    return JSON.stringify(value);
  } catch {
    // A cycle, or a bigint.
    return undefined;
  }
}

/** `json` without white space between its parts. Returned unchanged if it is not JSON, or too deep. O(length). */
export function compactJson(json: string): string {
  let compact: string | undefined;
  try {
    compact = jsonText(JSON.parse(json));
  } catch {
    // Not JSON.
  }
  if (compact === undefined) return json;
  // Parsing drops all but the last of equal keys. Without equal keys, only white space is lost, and up to five
  // characters per escape.
  const stripped = json.replace(SPACES, "$1");
  const escapes = stripped.split("\\").length - 1;
  return compact.length + 5 * escapes >= stripped.length ? compact : stripped;
}

/** A string, or white space outside of strings. */
const SPACES = /("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g;

/** Whether `value` has at most `levels` levels, by breadth-first search, which a cycle ends. O(size). */
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
