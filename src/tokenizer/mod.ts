/**
 * Token counts and ids, exactly as OpenAI's tiktoken has them; chats, streams, chunks.
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
export type { Text } from "../arguments.ts";
export {
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorDetails,
  type SluiceErrorInit,
} from "../errors.ts";
export type { StatusCode } from "../ffi/symbols.gen.ts";
export type { EncodedBatch } from "./batch.ts";
export { type CacheOptions, type CacheStats, cacheStats } from "./cache.ts";
export type { MessageCount, ToolCount, Uncounted } from "./chat_request.ts";
export type { ChatFunction, ChatMessage, ChatPart, ChatTool, ChatToolCall } from "./chat_types.ts";
export type { Chunk, ChunkOptions } from "./chunks.ts";
export type { TokenCounter } from "./counter.ts";
export { type TokenDecoder, TokenDecoderStream, type TokenIds } from "./decoder.ts";
export { type EncodingName, ENCODINGS } from "./encodings.ts";
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
  Special,
  TextOptions,
  TokenizerOptions,
} from "./options.ts";
export {
  countRequest,
  type CountRequestOptions,
  type ExtraCount,
  type RequestCount,
} from "./request/count.ts";
export { REQUEST_FORMATS, type RequestFormat } from "./request/formats.ts";
export { Tokenizer } from "./tokenizer.ts";
export type { TruncateOptions } from "./truncate.ts";
