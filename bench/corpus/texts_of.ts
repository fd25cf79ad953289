/**
 * The texts of a file of JSON Lines, in batches.
 *
 * @module
 */
import { closeSync, openSync, readSync } from "node:fs";

/** Batches of the texts of about 8 MB each, by JSON.parse. */
export function* textsOf(path: string): Generator<string[]> {
  const file = openSync(path, "r");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const bytes = new Uint8Array(2 ** 23);
  let rest = "";
  try {
    for (let length = 1; length > 0;) {
      length = readSync(file, bytes);
      rest += decoder.decode(bytes.subarray(0, length), { stream: length > 0 });
      const lines = rest.split("\n");
      rest = length === 0 ? "" : lines.pop()!;
      yield lines.filter((line) => line !== "")
        .map((line) => (JSON.parse(line) as { text: string }).text);
    }
  } finally {
    closeSync(file);
  }
}
