/**
 * A table of the tokens that a chat costs beyond its texts, by family of models.
 *
 * OpenAI documents the cost of messages in its cookbook, "How to count tokens with tiktoken": 3 per message, 1
 * per name and 3 for the start of the reply; for `gpt-3.5-turbo-0301` 4, −1 and 3. All other constants were
 * inferred from the charges of the API, the totals in `tests/fixtures/chat_totals` (see the README there).
 * `tests/chat_totals_test.ts` checks the error.
 *
 * @module
 */
import type { ResolvedModel } from "./models.ts";
import type { ToolStyle } from "./tool_text.ts";

/** The constants of a family, in tokens. */
export interface ChatRules {
  /** For each message, in addition to its role and content. */
  readonly message: number;
  /** For each name, in addition to the name. */
  readonly name: number;
  /** For the start of the reply. */
  readonly reply: number;
  /** How the schemas of tools are written. */
  readonly style: ToolStyle;
  /** For the headings above the tools, if there is a system message for them. */
  readonly tools: number;
  /** In addition, if there is none. */
  readonly toolsAlone: number;
  /** For a tool whose first parameter has no description. */
  readonly bareParameters: number;
  /** If the first tool has no description. */
  readonly bareTool: number;
  /** For a message with one call, in addition to the name and the arguments of the function. */
  readonly call: number;
  /** For a message with parallel calls, in addition to the JSON of the calls. */
  readonly parallelCalls: number;
  /** For the answer to a single call, in addition to the function's name with its namespace. */
  readonly answer: number;
  /** Whether totals of the family were observed. If not, the constants are those of the closest family. */
  readonly observed: boolean;
}

/**
 * The generations whose totals were observed, in any size and of any date. Others, such as search previews and
 * o1, add prompts of their own, or are not known.
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

/** gpt-3.5-turbo-0301 drops the role if there is a name. */
const GPT_35_0301: ChatRules = { ...GPT_4, message: 4, name: -1 };

/** gpt-4o, gpt-4.1, gpt-4.5. */
const GPT_4O: ChatRules = { ...GPT_4, style: "plain", bareParameters: -1 };

/** The o-series: the start of the reply has one token less, and calls name a channel. */
const O_SERIES: ChatRules = { ...GPT_4O, reply: 2, tools: 9, call: 9, parallelCalls: 18 };

/** gpt-5: like the o-series, with a longer text around the tools. */
const GPT_5: ChatRules = {
  ...O_SERIES,
  style: "harmony",
  tools: 90,
  toolsAlone: 1,
  bareTool: -1,
};

/** The rules for a model. For a model of another maker, those of {@linkcode GPT_4O}. */
export function chatRules(resolved: ResolvedModel): ChatRules {
  const base = resolved.model.replace(/^ft:/, "").split(":", 1)[0]!;
  const rules = rulesOf(base, resolved);
  // For an estimated vocabulary the flag has no meaning.
  return OBSERVED.test(base) || !resolved.exact ? rules : { ...rules, observed: false };
}

function rulesOf(base: string, { encoding }: ResolvedModel): ChatRules {
  // gpt-oss: the harmony format. The system message of the server is not known.
  if (encoding === "o200k_harmony") return GPT_5;
  if (encoding === "cl100k_base") {
    return /^gpt-3.5-turbo-0301$/.test(base) ? GPT_35_0301 : GPT_4;
  }
  if (encoding !== "o200k_base") return GPT_4;
  if (base.startsWith("gpt-5")) return GPT_5;
  if (/^(?:o\d|codex)/.test(base)) return O_SERIES;
  return GPT_4O;
}
