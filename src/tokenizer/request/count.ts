/**
 * Counts the tokens of a request body of any API.
 *
 * @module
 */
import { checkString } from "../../arguments.ts";
import { show } from "../../errors.ts";
import { checkKnown, type Known } from "../../known_options.ts";
import type { CountCacheOptions } from "../cache.ts";
import { sharedTokenizer } from "../messages.ts";
import { lookUpModel, type UnknownModel } from "../models.ts";
import { countBody } from "./body_count.ts";
import { recognise, REQUEST_FORMATS, type RequestFormat } from "./formats.ts";
import type { RequestCount } from "./result.ts";

/** Options of {@linkcode countRequest}. */
export interface CountRequestOptions {
  /**
   * The model, if the body does not have it: Gemini, Azure and Bedrock have it in the URL.
   *
   * @default The body's `model`.
   */
  readonly model?: string | undefined;
  /**
   * The encoding for a model that is unknown or missing, which makes the count an estimate, or `"refuse"`.
   *
   * @default "o200k_base", that of OpenAI's newest chat models.
   */
  readonly unknownModel?: UnknownModel | undefined;
  /**
   * The format, if it is known from the route.
   *
   * @default The format that the body appears to have.
   */
  readonly format?: RequestFormat | undefined;
  /**
   * Whether the counts of long texts are cached, as with a tokenizer's `cache`.
   *
   * @default false
   */
  readonly cache?: boolean | CountCacheOptions | undefined;
}

const OPTIONS: Known<CountRequestOptions> = {
  model: true,
  unknownModel: true,
  format: true,
  cache: true,
};

/**
 * The tokens of the prompt of a request, from its unchanged body.
 *
 * It reads the bodies of OpenAI's Chat Completions, Responses, embeddings and legacy completions, Anthropic's
 * Messages, Gemini's `generateContent` and the AI SDK's messages. No text is dropped silently: every string that
 * is not an identifier, a setting, a URL or a payload of the format is counted, or listed in `uncounted` with
 * its path. An unknown field is counted as text and listed in `extras` as `"unknown"`, and so is the whole of a
 * body of another format.
 *
 * `tokens` is the sum of `messages`, `tools`, `overhead` and `extras`. Images in the body are estimated by the
 * rule that their provider publishes, schemas of replies by their JSON.
 *
 * O(size of the body). The content of a body never makes it throw, however deep, wrong or cyclic it is.
 *
 * @param body The result of `await request.json()`, or the text or the bytes of the body. A body that is not
 * JSON is counted as text.
 * @param options The model and the format, if the body does not have them.
 * @throws {TypeError} If `body` is undefined, a function, a symbol or a bigint, or an option has a wrong type.
 * @throws {RangeError} If `format` or `unknownModel` has a wrong value.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL` with `unknownModel: "refuse"`.
 *
 * @example
 * ```ts
 * import { countRequest } from "./mod.ts";
 *
 * const count = countRequest({
 *   model: "claude-sonnet-4-5",
 *   max_tokens: 1024,
 *   system: "You are a helpful assistant.",
 *   messages: [{ role: "user", content: "Hello!" }],
 * });
 * console.log(count.format, count.tokens, count.estimate); // anthropic-messages 19 frame
 * ```
 */
export function countRequest(body: unknown, options: CountRequestOptions = {}): RequestCount {
  checkKnown<CountRequestOptions>("options", options, OPTIONS);
  const parsed = parse(body);
  const format = checkFormat(options.format) ?? recognise(parsed);
  const resolved = lookUpModel(modelOf(parsed, options), options.unknownModel);
  const counter = sharedTokenizer(resolved.encoding, options.cache);
  return countBody(parsed, format, resolved, (text) => counter.count(text));
}

function parse(body: unknown): unknown {
  if (body instanceof Uint8Array) return parse(new TextDecoder().decode(body));
  if (typeof body === "string") {
    try {
      return JSON.parse(body);
    } catch {
      return body;
    }
  }
  if (!["object", "number", "boolean"].includes(typeof body)) {
    throw new TypeError(`body must be a JSON value, its text or its bytes, not ${show(body)}`);
  }
  return body;
}

function modelOf(body: unknown, { model }: CountRequestOptions): string {
  if (model !== undefined) {
    checkString("model", model);
    return model;
  }
  const named = typeof body === "object" && body !== null
    ? (body as { model?: unknown }).model
    : undefined;
  return typeof named === "string" ? named : "";
}

function checkFormat(format: unknown): RequestFormat | undefined {
  if (format === undefined) return undefined;
  checkString("format", format);
  if ((REQUEST_FORMATS as readonly string[]).includes(format)) return format as RequestFormat;
  throw new RangeError(`format must be one of ${REQUEST_FORMATS.join(", ")}, not ${show(format)}`);
}
