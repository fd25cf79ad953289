/**
 * What a request to a model costs that stands on a line of JSON: a chat, a line of a batch file.
 *
 * @module
 */
import { countRequest, type EncodingName, type Uncounted } from "../../mod.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A request found on a line. */
export interface RequestLine {
  /** What the API takes. */
  readonly body: JsonObject;
  /** What a batch file calls it. */
  readonly id: string | undefined;
}

/** What a request costs. */
export interface RequestLineCount {
  readonly tokens: number;
  /** Whether that is what the API counts. */
  readonly exact: boolean;
  /** What costs tokens that are not in `tokens`. */
  readonly uncounted: readonly Uncounted[];
}

/** Where a line of a batch file has the request, and where its name. */
const BATCH_FORMS = [
  { body: "body", id: "custom_id" }, // OpenAI, Azure, Mistral
  { body: "params", id: "custom_id" }, // Anthropic
  { body: "request", id: "key" }, // Gemini
] as const;

/** What a line has that is a request by itself. `input` and `prompt` also occur in data sets. */
const CHAT_FIELDS = ["messages", "contents"] as const;

/** The request on a line; undefined if there is none. */
export function requestOf(line: JsonObject): RequestLine | undefined {
  for (const form of BATCH_FORMS) {
    const body = line[form.body];
    if (!isObject(body)) continue;
    const id = line[form.id];
    return { body, id: typeof id === "string" ? id : undefined };
  }
  const isChat = CHAT_FIELDS.some((field) => Array.isArray(line[field]));
  return isChat ? { body: line, id: undefined } : undefined;
}

/**
 * Counts a request of any API.
 *
 * @param model The model to count for, whatever the request says.
 * @param encoding What counts a request whose model is not known or not named, as an estimate.
 */
export function countRequestLine(
  body: JsonObject,
  model: string | undefined,
  encoding: EncodingName,
): RequestLineCount {
  const { tokens, estimate, uncounted } = countRequest(body, {
    unknownModel: encoding,
    ...model === undefined ? {} : { model },
  });
  return { tokens, uncounted, exact: estimate === "exact" };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
