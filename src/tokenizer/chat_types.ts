/**
 * The types of a Chat Completions request, as far as it is counted.
 *
 * Property names are those of OpenAI's API, so that a request body can be passed unchanged. The types are wide
 * on purpose: the types of the `openai` package are assignable to them, and so are parsed request bodies.
 *
 * @module
 */

/** A message of a chat. */
export interface ChatMessage {
  /** `"system"`, `"developer"`, `"user"`, `"assistant"`, `"tool"` or `"function"`. */
  readonly role: string;
  /** The text, or its parts. */
  readonly content?: string | readonly ChatPart[] | null | undefined;
  /** The name of the author, or, with role `"function"`, of the function. */
  readonly name?: string | null | undefined;
  /** The refusal of an assistant. */
  readonly refusal?: string | null | undefined;
  /** The reasoning of an assistant in DeepSeek's API. Counted as content, which is an estimate. */
  readonly reasoning_content?: string | null | undefined;
  /** The reasoning of an assistant in OpenRouter's API. */
  readonly reasoning?: string | null | undefined;
  /** The calls that an assistant made. */
  readonly tool_calls?: readonly ChatToolCall[] | null | undefined;
  /** The id of the call that a message of role `"tool"` answers. The id itself costs no tokens. */
  readonly tool_call_id?: string | null | undefined;
  /** The call of an assistant, in requests with `functions`. */
  readonly function_call?: { readonly name: string; readonly arguments: string } | null | undefined;
  /** Earlier audio of an assistant. Reported as uncounted. */
  readonly audio?: unknown;
}

/** A part of a message. Text and refusals are counted. Every other type is reported as uncounted. */
export interface ChatPart {
  /** `"text"`, `"refusal"`, `"image_url"`, `"input_audio"`, `"file"`, … */
  readonly type: string;
  /** The text of a part of type `"text"`. */
  readonly text?: string | undefined;
  /** The text of a part of type `"refusal"`. */
  readonly refusal?: string | undefined;
  /** Not counted. */
  readonly image_url?: unknown;
  /** Not counted. */
  readonly input_audio?: unknown;
  /** Not counted. */
  readonly file?: unknown;
}

/** A call of a tool. */
export interface ChatToolCall {
  /** The id that the answer refers to. */
  readonly id?: string | undefined;
  /** `"function"`, the default, or `"custom"`. */
  readonly type?: string | undefined;
  /** The call of a function. `arguments` is JSON. */
  readonly function?: { readonly name: string; readonly arguments: string } | undefined;
  /** The call of a custom tool. */
  readonly custom?: { readonly name: string; readonly input: string } | undefined;
}

/** A function that the model may call. */
export interface ChatFunction {
  /** Its name. */
  readonly name: string;
  /** Its description. */
  readonly description?: string | null | undefined;
  /** The JSON schema of its parameters. */
  readonly parameters?: object | null | undefined;
  /** Costs no tokens. */
  readonly strict?: boolean | null | undefined;
}

/** A tool that the model may use. Functions and custom tools are counted. */
export interface ChatTool {
  /** `"function"`, `"custom"`, or a tool of OpenAI's own, which is reported as uncounted. */
  readonly type: string;
  /** The function. */
  readonly function?: ChatFunction | undefined;
  /** The custom tool. */
  readonly custom?: {
    readonly name: string;
    readonly description?: string | null | undefined;
    readonly format?: unknown;
  };
}
