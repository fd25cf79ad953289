/**
 * Token counts and ids that equal those of OpenAI's tiktoken, for texts, chat requests and streams.
 *
 * @example
 * ```ts
 * import { Tokenizer } from "sluice/tokenizer";
 *
 * console.log(Tokenizer.forModel("gpt-5").count("Hello, world!")); // 4
 * ```
 *
 * @module
 */
export type { TextInput } from "../arguments.ts";
export {
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorDetails,
  type SluiceErrorInit,
} from "../errors.ts";
export type { StatusCode } from "../ffi/symbols.gen.ts";
export { cacheStats, type CountCacheOptions, type CountCacheStats } from "./cache.ts";
export type { MessageCount, ToolCount, UncountedPart } from "./chat_request.ts";
export type { ChatFunction, ChatMessage, ChatPart, ChatTool, ChatToolCall } from "./chat_types.ts";
export type { ChunkOptions, TextChunk } from "./chunks.ts";
export type { TokenCounter } from "./counter.ts";
export { TokenCounterStream } from "./counter_stream.ts";
export type { TokenDecoder, TokenIds } from "./decoder.ts";
export { TokenDecoderStream } from "./decoder_stream.ts";
export type { EncodedBatch } from "./encoded_batch.ts";
export { type EncodingName, ENCODINGS } from "./encodings.ts";
export { lineReason } from "./line_reasons.ts";
export type {
  ColumnAsyncOptions,
  CountedColumn,
  CountedLines,
  CountLinesAsyncOptions,
  CountLinesOptions,
  EncodeColumnOptions,
  EncodedColumn,
  EncodedLines,
  EncodeLinesOptions,
  EosOptions,
  IdOptions,
  LineReason,
  LinesAsyncOptions,
  ReadColumn,
  ReadLines,
  SignalOptions,
  TextColumn,
} from "./line_types.ts";
export {
  type ChatRequestFields,
  countMessages,
  type CountMessagesOptions,
  type EstimateReason,
  type MessagesCount,
} from "./messages.ts";
export {
  registerModels,
  type ResolvedModel,
  resolveModel,
  type ResolveModelOptions,
  type UnknownModel,
} from "./models.ts";
export type {
  AsyncOptions,
  BatchOptions,
  EncodeOptions,
  ModelTokenizerOptions,
  SpecialTokenMode,
  TextOptions,
  TokenizerOptions,
} from "./options.ts";
export { countRequest, type CountRequestOptions } from "./request/count.ts";
export { REQUEST_FORMATS, type RequestFormat } from "./request/formats.ts";
export type { ExtraCount, RequestCount } from "./request/result.ts";
export { Tokenizer } from "./tokenizer.ts";
export type { TruncateOptions } from "./truncate.ts";
