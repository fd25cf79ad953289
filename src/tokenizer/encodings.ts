/**
 * The encodings that sluice has, by the names tiktoken gave them.
 *
 * @module
 */
// The ES module: to wrap the other one costs Deno 7 ms.
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
 * Refuses what is not the name of an encoding, and says which one was probably meant, or that it is the
 * name of a model.
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

/** " Did you mean …?" if one of `known` is near enough to `name`, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (name === "" || name.length > 64) return "";
  const begun = name.length < 3 ? [] : known.filter((one) => one.startsWith(name));
  const nearest = closest(name, begun.length > 0 ? begun : known);
  // The beginning of a name is meant as that name; else two letters, or a third, may differ.
  const near = nearest.startsWith(name) ||
    distance(name, nearest) <= Math.max(name.length > 3 ? 2 : 1, Math.floor(nearest.length / 3));
  return near ? ` Did you mean ${show(nearest)}?` : "";
}
