/**
 * The grammar of OpenAI's embeddings and legacy completions, whose requests consist of texts only.
 *
 * Fields: <https://platform.openai.com/docs/api-reference/embeddings/create> and
 * <https://platform.openai.com/docs/api-reference/completions/create>.
 *
 * @module
 */
import { each, type Node, OPTIONS } from "./rules.ts";

/** A text, its token ids, or an array of either. */
function texts(role: string): Node {
  const one: Node = { string: "text", unit: "message", role, tokenIds: true };
  return { ...one, items: one };
}

/** Embeddings. */
export const EMBEDDINGS: Node = {
  fields: {
    ...each("model user encoding_format input_type truncate task", "id"),
    ...each("dimensions", OPTIONS),
    input: texts("input"),
  },
};

/** Legacy completions. */
export const COMPLETIONS: Node = {
  fields: {
    ...each("model user", "id"),
    ...each(
      `stop stream stream_options logit_bias best_of echo frequency_penalty logprobs max_tokens n
       presence_penalty seed temperature top_p top_k`,
      OPTIONS,
    ),
    prompt: texts("prompt"),
    suffix: "aside",
  },
};
