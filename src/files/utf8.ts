/**
 * Strict UTF-8: nothing is ever replaced silently.
 *
 * @module
 */

/** Not ignoring the BOM: U+FEFF is text like any other, and dropping it loses it. */
const STRICT = { fatal: true, ignoreBOM: true } as const;

const decoder = new TextDecoder("utf-8", STRICT);

/** The text, or undefined if `bytes` are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
