/**
 * Raw ids and the ends of documents, both without a header: what nanoGPT, datatrove and OLMo map into memory.
 *
 * @module
 */
import { flatFormat } from "./flat.ts";
import type { Format } from "./format.ts";

/** Ids in `.bin`, unsigned 64-bit ends in `.idx`. */
export const bin: Format = flatFormat({
  name: "bin",
  ids: { suffix: ".bin" },
  ends: { suffix: ".idx" },
  defaultEos: "append",
});
