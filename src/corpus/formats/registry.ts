/**
 * The formats by name.
 *
 * @module
 */
import { arrow } from "./arrow.ts";
import { bin } from "./bin.ts";
import type { Format, FormatName } from "./format.ts";
import { jsonl } from "./jsonl.ts";
import { llmc } from "./llmc.ts";
import { megatron } from "./megatron.ts";
import { npy } from "./npy.ts";
import { packed } from "./packing.ts";

const FORMATS: Readonly<Record<FormatName, Format>> = { bin, megatron, npy, llmc, arrow, jsonl };

/** The names of all formats. */
export const FORMAT_NAMES: readonly FormatName[] = Object.keys(FORMATS) as FormatName[];

/** The format of a name. Its writer packs documents into rows if the options say so. */
export function formatOf(name: FormatName): Format {
  if (!Object.hasOwn(FORMATS, name)) {
    throw new RangeError(`format is ${JSON.stringify(name)} and not ${FORMAT_NAMES.join(", ")}`);
  }
  return packed(FORMATS[name]);
}
