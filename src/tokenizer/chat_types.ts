/**
 * What a Chat Completions request holds, as far as it is counted.
 *
 * Property names are those of OpenAI's API, so that a request body can be passed as it is. The types
 * are wide on purpose: the types of the `openai` package fit them, and so does what a gateway parsed.
 *
 * @module
 */

/** A message of a chat. */
export interface ChatMessage {
  /** `"system"`, `"developer"`, `"user"`, `"assistant"`, `"tool"` or `"function"`. */
  readonly role: string;
  /** The text, or the parts that it is made of. */
  readonly content?: string | readonly ChatPart[] | null | undefined;
  /** The name of the author, or of the function that a message of role `"function"` is from. */
  readonly name?: string | null | undefined;
  /** What an assistant refused with. */
  readonly refusal?: string | null | undefined;
  /** What an assistant reasoned, as DeepSeek's API has it. Counted as content, by an estimate. */
  readonly reasoning_content?: string | null | undefined;
  /** The same, as OpenRouter's API has it. */
  readonly reasoning?: string | null | undefined;
  /** The calls that an assistant made. */
  readonly tool_calls?: readonly ChatToolCall[] | null | undefined;
  /** Which call a message of role `"tool"` answers. It is looked up, and costs no tokens itself. */
  readonly tool_call_id?: string | null | undefined;
  /** The call that an assistant made, in requests with `functions`. */
  readonly function_call?: { readonly name: string; readonly arguments: string } | null | undefined;
  /** Audio that an assistant spoke before. Reported as uncounted. */
  readonly audio?: unknown;
}

/** A part of a message. Text and refusals are counted, every other type is reported as uncounted. */
export interface ChatPart {
  /** `"text"`, `"refusal"`, `"image_url"`, `"input_audio"`, `"file"`, … */
  readonly type: string;
  /** The text of a part of type `"text"`. */
  readonly text?: string;
  /** The text of a part of type `"refusal"`. */
  readonly refusal?: string;
  /** Not counted. */
  readonly image_url?: unknown;
  /** Not counted. */
  readonly input_audio?: unknown;
  /** Not counted. */
  readonly file?: unknown;
}

/** A call of a tool. */
export interface ChatToolCall {
  /** What the answer refers to. */
  readonly id?: string;
  /** `"function"`, which is the default, or `"custom"`. */
  readonly type?: string;
  /** The call of a function; `arguments` is JSON. */
  readonly function?: { readonly name: string; readonly arguments: string };
  /** The call of a custom tool. */
  readonly custom?: { readonly name: string; readonly input: string };
}

/** A function that the model may call. */
export interface ChatFunction {
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly description?: string | null | undefined;
  /** A JSON schema of its parameters. */
  readonly parameters?: object | null | undefined;
  /** Costs no tokens. */
  readonly strict?: boolean | null | undefined;
}

/** A tool that the model may use. Functions and custom tools are counted. */
export interface ChatTool {
  /** `"function"`, `"custom"`, or one of OpenAI's own tools, which are reported as uncounted. */
  readonly type: string;
  /** The function. */
  readonly function?: ChatFunction;
  /** The custom tool. */
  readonly custom?: {
    readonly name: string;
    readonly description?: string | null | undefined;
    readonly format?: unknown;
  };
}
