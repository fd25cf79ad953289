/**
 * Formats of token files.
 *
 * @module
 */
export * from "./format.ts";
export { HashedFile } from "./hashed_file.ts";
export { rowsOf } from "./packing.ts";
export { FORMAT_NAMES, formatOf } from "./registry.ts";
export { type FileSum, Sha256, sumOf, sumOfFile } from "./sha256.ts";
