/**
 * How many tokens a chat costs beyond its texts, by family of models.
 *
 * OpenAI documents the frame of messages in its cookbook, "How to count tokens with tiktoken": 3 a
 * message, 1 a name and 3 that open the reply, for `gpt-3.5-turbo-0301` 4, −1 and 3. All else that
 * stands here was inferred from what the API charged: from the totals in
 * `tests/fixtures/chat_totals` (see the README there); `tests/messages_test.ts` states and checks the
 * error.
 *
 * @module
 */
import type { ResolvedModel } from "./models.ts";
import type { ToolStyle } from "./tool_text.ts";

/** The constants of a family, in tokens. */
export interface ChatRules {
  /** For each message, beside its role and content. */
  readonly message: number;
  /** For each name, beside the name. */
  readonly name: number;
  /** Opens the reply. */
  readonly reply: number;
  /** How the schemas of tools are written. */
  readonly style: ToolStyle;
  /** For the headings above the tools, when there is a system message to hold them. */
  readonly tools: number;
  /** More than that when there is none. */
  readonly toolsAlone: number;
  /** For a tool that has parameters, the first of them without a description. */
  readonly bareParameters: number;
  /** When the first tool has no description. */
  readonly bareTool: number;
  /** For a message that makes one call, beside the function's name and arguments. */
  readonly call: number;
  /** For a message that makes several calls at once, beside the JSON that holds them. */
  readonly parallelCalls: number;
  /** For the answer to a single call, beside the name of the function with its namespace. */
  readonly answer: number;
  /** Whether totals of the family were observed, or the constants of its nearest relative are taken. */
  readonly observed: boolean;
}

/**
 * The generations of which totals were observed, in any size and of any date. Others, such as search
 * previews and o1, put prompts of their own in front of what was sent, or are not known.
 */
const OBSERVED = new RegExp(
  "^(?:gpt-3\\.5-turbo|gpt-4|gpt-4o|gpt-4\\.1|gpt-4\\.5-preview|o3|o4|gpt-5(?:\\.\\d+)?)" +
    "(?:-(?:mini|nano|pro|16k|32k))?(?:-\\d{4}(?:-\\d{2}-\\d{2})?)?$",
);

/** cl100k: gpt-3.5 and gpt-4. The tool constants come from requests with `functions`. */
const GPT_4: ChatRules = {
  message: 3,
  name: 1,
  reply: 3,
  style: "unions",
  tools: 5,
  toolsAlone: 4,
  bareParameters: 0,
  bareTool: 0,
  call: 3,
  parallelCalls: 12,
  answer: 1,
  observed: true,
};

/** gpt-3.5-turbo-0301 drops the role where there is a name. */
const GPT_35_0301: ChatRules = { ...GPT_4, message: 4, name: -1 };

/** gpt-4o, gpt-4.1, gpt-4.5. */
const GPT_4O: ChatRules = { ...GPT_4, style: "plain", bareParameters: -1 };

/** The o-series: the reply is opened with one token less, calls name a channel. */
const O_SERIES: ChatRules = { ...GPT_4O, reply: 2, tools: 9, call: 9, parallelCalls: 18 };

/** gpt-5: as the o-series, with a longer text around the tools. */
const GPT_5: ChatRules = {
  ...O_SERIES,
  style: "harmony",
  tools: 90,
  toolsAlone: 1,
  bareTool: -1,
};

/** The rules for a model; for one that is not OpenAI's, those of {@linkcode GPT_4O}. */
export function chatRules(resolved: ResolvedModel): ChatRules {
  const base = resolved.model.replace(/^ft:/, "").split(":", 1)[0]!;
  const rules = rulesOf(base, resolved);
  // Where the vocabulary is another's there is no more to say.
  return OBSERVED.test(base) || !resolved.exact ? rules : { ...rules, observed: false };
}

function rulesOf(base: string, { encoding }: ResolvedModel): ChatRules {
  // gpt-oss: the frame is that of the harmony format; the server's own system message is not known.
  if (encoding === "o200k_harmony") return GPT_5;
  if (encoding === "cl100k_base") {
    return /^gpt-3.5-turbo-0301$/.test(base) ? GPT_35_0301 : GPT_4;
  }
  if (encoding !== "o200k_base") return GPT_4;
  if (base.startsWith("gpt-5")) return GPT_5;
  if (/^(?:o\d|codex)/.test(base)) return O_SERIES;
  return GPT_4O;
}
