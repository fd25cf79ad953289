/**
 * The names of the encodings, which are those of tiktoken, and suggestions for misspelt names.
 *
 * @module
 */
// The ES module, because wrapping the CommonJS one takes Deno 7 ms.
import { closest, distance } from "fastest-levenshtein/esm/mod.js";
import { show, SluiceError } from "../errors.ts";

/** Every encoding, oldest first. */
export const ENCODINGS = [
  "r50k_base",
  "p50k_base",
  "p50k_edit",
  "cl100k_base",
  "o200k_base",
  "o200k_harmony",
] as const;

/** The name of an encoding. */
export type EncodingName = typeof ENCODINGS[number];

/**
 * Refuses what is not the name of an encoding. The error suggests the nearest name, or says that it is the name
 * of a model.
 *
 * @throws {TypeError} If `name` is not a string.
 * @throws {SluiceError} `SLUICE_UNKNOWN_ENCODING`.
 */
export function checkEncoding(
  name: unknown,
  isModel: (name: string) => boolean = () => false,
): EncodingName {
  if (typeof name !== "string") {
    throw new TypeError(`encoding must be a string, not ${show(name)}`);
  }
  if ((ENCODINGS as readonly string[]).includes(name)) return name as EncodingName;
  if (isModel(name)) {
    throw new SluiceError(
      "SLUICE_UNKNOWN_ENCODING",
      `${show(name)} is a model, not an encoding: Tokenizer.forModel(${show(name)})`,
    );
  }
  throw new SluiceError(
    "SLUICE_UNKNOWN_ENCODING",
    `Unknown encoding ${show(name)}.${didYouMean(name, ENCODINGS)} ` +
      `Encodings: ${ENCODINGS.join(", ")}`,
  );
}

/** " Did you mean …?" if one of `known` is similar to `name` (edit distance), otherwise the empty string. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (name === "" || name.length > 64) return "";
  const begun = name.length < 3 ? [] : known.filter((one) => one.startsWith(name));
  const nearest = closest(name, begun.length > 0 ? begun : known);
  // A prefix stands for the name. Otherwise two letters, or a third of them, may differ.
  const near = nearest.startsWith(name) ||
    distance(name, nearest) <= Math.max(name.length > 3 ? 2 : 1, Math.floor(nearest.length / 3));
  return near ? ` Did you mean ${show(nearest)}?` : "";
}
