/**
 * Checks of chats to train a model with, and OpenAI's rule of default epochs.
 *
 * The kinds of errors and the rule are those of OpenAI's cookbook, "Data preparation and analysis for chat model
 * fine-tuning" (<https://cookbook.openai.com/examples/chat_finetuning_data_prep>). Roles and fields that the API has
 * had since, such as `tool` and `tool_calls`, are no errors here.
 *
 * @module
 */
import type { LinePlace, TrainingEstimate } from "./estimate_types.ts";
import { Counts } from "./distribution.ts";
import { First } from "./first.ts";
import { isObject, type JsonObject } from "./json_lines.ts";
import type { RequestSize } from "./request_size.ts";

const ROLES: ReadonlySet<unknown> = new Set(
  ["system", "developer", "user", "assistant", "function", "tool"],
);

const FIELDS: ReadonlySet<string> = new Set(
  "role content name weight function_call tool_calls tool_call_id refusal audio".split(" "),
);

const TARGET_EPOCHS = 3;
const MIN_TARGET_EXAMPLES = 100;
const MAX_TARGET_EXAMPLES = 25_000;
const MIN_DEFAULT_EPOCHS = 1;
const MAX_DEFAULT_EPOCHS = 25;

/** The kinds of errors of a chat, one for each time it occurs. */
export function errorsOfChat(chat: JsonObject): string[] {
  const { messages } = chat;
  if (!Array.isArray(messages) || messages.length === 0) return ["missing_messages_list"];
  const errors = messages.flatMap(errorsOfMessage);
  const isAssistant = (message: unknown) => isObject(message) && message["role"] === "assistant";
  if (!messages.some(isAssistant)) errors.push("example_missing_assistant_message");
  return errors;
}

function errorsOfMessage(message: unknown): string[] {
  if (!isObject(message)) return ["message_missing_key"];
  const errors: string[] = [];
  const { role, content, function_call: call, tool_calls: calls } = message;
  const isCall = isObject(call) || Array.isArray(calls) && calls.length > 0;
  if (role === undefined || content === undefined && !isCall) errors.push("message_missing_key");
  if (Object.keys(message).some((field) => !FIELDS.has(field))) {
    errors.push("message_unrecognized_key");
  }
  if (!ROLES.has(role)) errors.push("unrecognized_role");
  const isContent = typeof content === "string" || Array.isArray(content);
  const isMissing = content === undefined || content === null || isContent && content.length === 0;
  if (isMissing ? !isCall : !isContent) errors.push("missing_content");
  return errors;
}

/** The number of epochs that OpenAI trains with this number of chats if it is not told. */
export function defaultEpochs(chats: number): number {
  if (chats === 0) return TARGET_EPOCHS;
  if (chats * TARGET_EPOCHS < MIN_TARGET_EXAMPLES) {
    return Math.min(MAX_DEFAULT_EPOCHS, Math.floor(MIN_TARGET_EXAMPLES / chats));
  }
  if (chats * TARGET_EPOCHS > MAX_TARGET_EXAMPLES) {
    return Math.max(MIN_DEFAULT_EPOCHS, Math.floor(MAX_TARGET_EXAMPLES / chats));
  }
  return TARGET_EPOCHS;
}

/** Adds up chats. */
export class Training {
  readonly #context: number;
  readonly #errors = new Map<string, number>();
  readonly #first = new First<LinePlace & { error: string }>();
  readonly #messages = new Counts();
  readonly #assistant = new Counts();
  #withoutSystem = 0;
  #withoutUser = 0;
  #billed = 0;

  /** @param context The most tokens of a chat; what is longer is cut. */
  constructor(context: number | undefined) {
    this.#context = context ?? Infinity;
  }

  add(chat: JsonObject, size: RequestSize | undefined, place: LinePlace): void {
    for (const error of errorsOfChat(chat)) {
      this.#errors.set(error, (this.#errors.get(error) ?? 0) + 1);
      this.#first.add({ ...place, error });
    }
    if (size === undefined) return;
    const messages = chat["messages"] as readonly unknown[];
    const has = (...roles: string[]) =>
      messages.some((message) => isObject(message) && roles.includes(message["role"] as string));
    if (!has("system", "developer")) this.#withoutSystem++;
    if (!has("user")) this.#withoutUser++;
    this.#messages.add(size.messages);
    this.#assistant.add(size.assistantTokens);
    this.#billed += Math.min(size.tokens, this.#context);
  }

  /** @param price What a million tokens of training cost. */
  result(price: number | undefined): TrainingEstimate {
    const epochs = defaultEpochs(this.#messages.size);
    return {
      errors: Object.fromEntries(this.#errors),
      firstErrors: this.#first.kept,
      withoutSystem: this.#withoutSystem,
      withoutUser: this.#withoutUser,
      messages: this.#messages.summary(),
      assistantTokens: this.#assistant.summary(),
      epochs,
      billedTokens: this.#billed,
      ...price === undefined ? {} : { cost: epochs * this.#billed * price / 1e6 },
    };
  }
}
