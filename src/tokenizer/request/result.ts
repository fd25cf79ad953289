/**
 * The result types of counting a request.
 *
 * @module
 */
import type { MessagesCount } from "../messages.ts";
import type { RequestFormat } from "./formats.ts";

/** The cost of something other than messages and tools, in tokens. */
export interface ExtraCount {
  /** Its path, such as `messages[2].content[1]`. */
  readonly path: string;
  /**
   * Its type: that of a medium, such as `"image_url"`; `"json_schema"` for the schema of a reply;
   * `"tool_prompt"` for the text that a provider adds to tools; `"text"` for text outside of messages; or
   * `"unknown"` for an unknown field, which is counted as text.
   */
  readonly type: string;
  /** Its cost, which is an estimate. */
  readonly tokens: number;
  /** Where the provider publishes the rule; undefined for text. */
  readonly source?: string;
}

/** The result of {@linkcode countRequest}. */
export interface RequestCount extends MessagesCount {
  /** The format of the body. */
  readonly format: RequestFormat;
  /**
   * The quality of `tokens`:
   *
   * - `"exact"`: the vocabulary and the rule are published, and nothing is uncounted.
   * - `"frame"`: all texts are counted, and the tokens around messages and tools are those that were observed
   *   for this family of models or for its closest relative. `estimated` has the reasons.
   * - `"text"`: all texts are counted, and nothing else.
   */
  readonly estimate: "exact" | "frame" | "text";
  /** Costs that are estimated separately. They are part of `tokens`. */
  readonly extras: readonly ExtraCount[];
}
