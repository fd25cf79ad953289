/**
 * Arrow IPC streams: a column `input_ids` of lists, and a column `id` of texts if documents have identifiers.
 *
 * Ids of 32 bits are *signed* integers, as models are given: the data sets of Hugging Face store `input_ids` as
 * `int32`, and PyTorch embeds signed integers only. The bits are the same, as ids are below 2^31. Ids of 16 bits are
 * unsigned.
 *
 * @module
 */
import type { Format } from "./format.ts";

const SUFFIX = ".arrow";

/** One file. The Arrow library is loaded only if the format is used. */
export const arrow: Format = {
  name: "arrow",
  suffixes: [SUFFIX],
  defaultEos: "none",
  open: async (pathOf, options) => {
    const { ArrowWriter } = await import("./arrow_write.ts");
    return new ArrowWriter(pathOf(SUFFIX), SUFFIX, options);
  },
  read: async (pathOf, n, { dtype }) => {
    const { readArrow } = await import("./arrow_read.ts");
    return readArrow(pathOf(SUFFIX), n, dtype);
  },
  count: async (pathOf) => {
    const { countArrow } = await import("./arrow_read.ts");
    return countArrow(pathOf(SUFFIX));
  },
};
