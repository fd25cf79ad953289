/**
 * Inputs of a corpus: files of JSON Lines, Parquet and text, compressed or not, cut into parts.
 *
 * @module
 */
export { findInputs, type FindOptions, type FoundInput } from "./find.ts";
export { inputFile, openPart, partsOf } from "./inputs.ts";
export { kindOf } from "./kinds.ts";
export { lineLimit } from "./line_batches.ts";
export { STDIN } from "./open_file.ts";
export {
  type Batch,
  type ColumnBatch,
  type FileKind,
  type InputFile,
  type LineBatch,
  type LongLine,
  type Part,
  type ReadOptions,
  type SizedPart,
  SourceError,
  type TextBatch,
} from "./source.ts";
