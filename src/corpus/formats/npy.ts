/**
 * NumPy arrays: ids and the ends of documents, each behind the header of a `.npy` file (NEP 1, version 1.0).
 *
 * @module
 */
import { flatFormat, type Header } from "./flat.ts";
import type { Format, FormatOptions } from "./format.ts";

/** Room for a shape of any size, and a multiple of 64, as readers expect of the header. */
const HEADER_BYTES = 128;

/** Ids in `.npy`, unsigned 64-bit ends in `.idx.npy`. Padded rows are an array of two dimensions. */
export const npy: Format = flatFormat({
  name: "npy",
  ids: {
    suffix: ".npy",
    header: headerOf(idsShape, ({ dtype }) => dtype === "u16" ? "<u2" : "<u4"),
  },
  ends: { suffix: ".idx.npy", header: headerOf((count) => `(${count},)`, () => "<u8") },
  defaultEos: "append",
});

function idsShape(count: number, { pack }: FormatOptions): string {
  if (!pack || pack.pad === null) return `(${count},)`;
  return `(${count / pack.length}, ${pack.length})`;
}

function headerOf(
  shape: (count: number, options: FormatOptions) => string,
  type: (options: FormatOptions) => string,
): Header {
  return {
    bytes: HEADER_BYTES,
    make: (count, options) => {
      const description = `{'descr': '${type(options)}', 'fortran_order': False, ` +
        `'shape': ${shape(count, options)}, }`;
      const header = new Uint8Array(HEADER_BYTES).fill(0x20);
      header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, HEADER_BYTES - 10, 0]);
      header.set(new TextEncoder().encode(description), 10);
      header[HEADER_BYTES - 1] = 0x0a;
      return header;
    },
  };
}
