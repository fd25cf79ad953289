/**
 * Counts requests in JSON Lines: chats, and lines of batch files.
 *
 * @module
 */
import { countRequest, type EncodingName, type UncountedPart } from "../../tokenizer/mod.ts";

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A request found on a line. */
export interface RequestLine {
  /** The body for the API. */
  readonly body: JsonObject;
  /** Its id in a batch file. */
  readonly id: string | undefined;
}

/** The cost of a request. */
export interface RequestLineCount {
  readonly tokens: number;
  /** Whether it equals the count of the API. */
  readonly exact: boolean;
  /** Parts whose cost is not in `tokens`. */
  readonly uncounted: readonly UncountedPart[];
}

/** The fields of the request and of its id in a line of a batch file. */
const BATCH_FORMS = [
  { body: "body", id: "custom_id" }, // OpenAI, Azure, Mistral
  { body: "params", id: "custom_id" }, // Anthropic
  { body: "request", id: "key" }, // Gemini
] as const;

/** The fields of a line that is a request itself. `input` and `prompt` also occur in data sets. */
const CHAT_FIELDS = ["messages", "contents"] as const;

/** The names of the properties that make a line a request. A letter of a name may be escaped. */
const NAMES = new RegExp(
  `"(?:${[...BATCH_FORMS.map(({ body }) => body), ...CHAT_FIELDS].join("|")})"|\\\\u00[67]`,
);

/** Whether some of these lines may be requests. Never false if one is. */
export function mayHaveRequests(lines: string): boolean {
  return NAMES.test(lines);
}

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
 * @param model The model to count for, instead of that of the request.
 * @param encoding The encoding for a request whose model is unknown or missing. The count is an estimate.
 */
export function countRequestLine(
  body: JsonObject,
  model: string | undefined,
  encoding: EncodingName,
): RequestLineCount {
  const { tokens, estimate, uncounted } = countRequest(body, {
    unknownModel: encoding,
    model,
  });
  return { tokens, uncounted, exact: estimate === "exact" };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
