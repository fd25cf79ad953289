/**
 * The format of llm.c: a header of 256 numbers of 32 bits, and the ids.
 *
 * @module
 */
import { flatFormat } from "./flat.ts";
import type { Format, FormatOptions } from "./format.ts";
import { bytesOf } from "./id_array.ts";

const HEADER_NUMBERS = 256;

/** The header has the number of ids as a signed number of 32 bits. */
const MAX_IDS = 2 ** 31 - 1;

/** Ids in `.bin`, and unsigned 64-bit ends in `.idx`, which llm.c does not read. */
export const llmc: Format = flatFormat({
  name: "llmc",
  ids: { suffix: ".bin", header: { bytes: 4 * HEADER_NUMBERS, make: headerOf } },
  ends: { suffix: ".idx" },
  defaultEos: "prepend",
  maxIds: MAX_IDS,
});

function headerOf(count: number, { dtype }: FormatOptions): Uint8Array<ArrayBuffer> {
  const header = new Int32Array(HEADER_NUMBERS);
  // The magic numbers and versions of its data files for GPT-2, and for Llama 3.
  header.set(dtype === "u16" ? [20240520, 1, count] : [20240801, 7, count]);
  return bytesOf(header);
}
