/**
 * Token files of whole corpora: planned, resumable, the same bytes on every machine.
 *
 * @module
 */
export { planCorpus, type PlanCorpusOptions } from "./plan_corpus.ts";
export {
  type CorpusResult,
  tokenizeCorpus,
  type TokenizeCorpusOptions,
  tokenizeUnit,
} from "./tokenize.ts";
export { finishCorpus, type Manifest } from "./manifest.ts";
export type { CorpusOptions } from "./plan/options.ts";
export type { Commit, Plan, PlanOptions, ShardFile, Unit } from "./plan/plan_types.ts";
export type {
  BadLineEvent,
  CommittedEvent,
  CorpusEvent,
  FailedEvent,
  NoteEvent,
  ProgressEvent,
  StartedEvent,
} from "./run/events.ts";
export { OutputError } from "./output_error.ts";
export type { Shard } from "./shards.ts";
export type { BadLine } from "./unit/quarantine.ts";
export type { Totals } from "./unit/totals.ts";
export type { WorkOptions } from "./unit/tokenize_unit.ts";
export { type Dtype, FormatError, type FormatName } from "./formats/format.ts";
export { type CorpusDocument, readDocument } from "./inspect/document.ts";
export { inspectCorpus, type Inspection, type InspectOptions } from "./inspect/inspect.ts";
export type { CorpusProblem } from "./inspect/unit_check.ts";
export { type FileKind, type InputFile, type Part, SourceError } from "./sources/source.ts";
export { type EncodingName, ENCODINGS } from "../tokenizer/encodings.ts";
export type { LineReason } from "../tokenizer/line_types.ts";
export type { SpecialTokenMode } from "../tokenizer/options.ts";
