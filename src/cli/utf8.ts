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

/**
 * Where the first character that is not valid UTF-8 begins; the length of `bytes` if all are valid.
 * By bisection, O(length · log length): only failures pay for it.
 */
export function invalidUtf8At(bytes: Uint8Array): number {
  if (decodeUtf8(bytes) !== undefined) return bytes.length;
  let [valid, invalid] = [0, bytes.length + 1];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1;
    if (mayContinue(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  // The longest prefix that may continue can end within a character: that one began before.
  let start = valid;
  while (start > 0 && decodeUtf8(bytes.subarray(0, start)) === undefined) start--;
  return start;
}

/** Whether `bytes` are valid UTF-8 up to a character that is cut off at the end. */
function mayContinue(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", STRICT).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
