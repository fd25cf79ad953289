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

/** `value` as JSON, or undefined if it is nested too deep. O(size). */
export function jsonText(value: unknown): string | undefined {
  return isWithin(value, DEEPEST) ? JSON.stringify(value) : undefined;
}

/** `json` without space between its parts; as it is if it is no JSON, or nested too deep. O(length). */
export function compactJson(json: string): string {
  try {
    return jsonText(JSON.parse(json)) ?? json;
  } catch {
    return json;
  }
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}
