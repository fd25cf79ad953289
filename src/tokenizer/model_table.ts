/**
 * The table of models: which encoding each model and family of models uses.
 *
 * The sources are OpenAI's own table (`model.py` of tiktoken 0.14) and the models of OpenAI's API as of
 * November 2026 (npm's `openai` 6.49). A model that they have is `exact`. Every other model has a vocabulary
 * that is not public or not one of these encodings, or is not known yet.
 *
 * @module
 */
import type { EncodingName } from "./encodings.ts";

/** A row of the table: one model, or a family of models. */
export interface KnownModel {
  /** A name, or a prefix of names that ends in `*`. */
  readonly name: string;
  readonly encoding: EncodingName;
  readonly exact: boolean;
}

/** The encoding for estimates: OpenAI's newest, as the most likely to be close to another vocabulary. */
export const STAND_IN: EncodingName = "o200k_base";

/** The models whose encoding OpenAI has published, newest first. */
const PUBLISHED: readonly (readonly [EncodingName, string])[] = [
  [
    "o200k_base",
    `gpt-5 gpt-5-* gpt-5.1 gpt-5.1-* gpt-5.2 gpt-5.2-* gpt-5.3-* gpt-5.4 gpt-5.4-* gpt-5.6-*
     gpt-4.5 gpt-4.5-* gpt-4.1 gpt-4.1-* gpt-4o gpt-4o-* chatgpt-4o-*
     o1 o1-* o3 o3-* o4-mini o4-mini-* codex-mini codex-mini-*`,
  ],
  ["o200k_harmony", "gpt-oss gpt-oss-*"],
  [
    "cl100k_base",
    `gpt-4 gpt-4-* gpt-3.5 gpt-3.5-turbo gpt-3.5-turbo-* gpt-35-turbo gpt-35-turbo-*
     davinci-002 babbage-002
     text-embedding-3-large text-embedding-3-small text-embedding-ada-002
     text-embedding-ada-002-v2`,
  ],
  ["p50k_edit", "text-davinci-edit-001 code-davinci-edit-001"],
  [
    "p50k_base",
    `text-davinci-003 text-davinci-002 code-davinci-002 code-davinci-001 code-cushman-002
     code-cushman-001 davinci-codex cushman-codex`,
  ],
  [
    "r50k_base",
    `text-davinci-001 text-curie-001 text-babbage-001 text-ada-001 davinci curie babbage ada
     text-similarity-davinci-001 text-similarity-curie-001 text-similarity-babbage-001
     text-similarity-ada-001 text-search-davinci-doc-001 text-search-curie-doc-001
     text-search-babbage-doc-001 text-search-ada-doc-001 code-search-babbage-code-001
     code-search-ada-code-001 gpt2 gpt-2`,
  ],
];

/** Models that are estimated by {@linkcode STAND_IN}. The first line has OpenAI's own. */
const ESTIMATED = `
  gpt-5* chat-latest computer-use-preview* gpt-audio* gpt-realtime*
  claude* gemini* gemma* learnlm* palm* llama* meta-llama* codellama*
  mistral* mixtral* ministral* magistral* codestral* devstral* pixtral* voxtral* open-mistral*
  open-mixtral* deepseek* grok* qwen* qwq* qvq* command* c4ai* aya* phi-* phi3* phi4* wizardlm*
  nova-* titan-* jamba* sonar* pplx* kimi* moonshot* glm-* chatglm* minimax* abab* ernie*
  hunyuan* doubao* seed-* step-* mimo* longcat* yi-* nemotron* granite* hermes* dbrx* falcon*
  olmo* solar* inflection* lfm* mercury* reka* dolphin* vicuna* zephyr* smollm* starcoder*`;

/** Makers of models with other vocabularies, as the part of a name before `/` or `.`. */
const MAKERS = `
  01-ai ai21 aion-labs alibaba allenai amazon anthropic arcee-ai baidu bigcode bytedance
  bytedance-seed cognitivecomputations cohere coherelabs cohereforai databricks deepseek
  deepseek-ai eleutherai gemini google ibm-granite inception inflection liquid meituan meta
  meta-llama microsoft minimax minimaxai mistral mistralai moonshot moonshotai nousresearch nvidia
  perplexity qwen reka rekaai sao10k stepfun stepfun-ai tencent thedrummer thudm tiiuae upstage
  writer x-ai xai xiaomi z-ai zai zai-org zhipu`;

/** Members of families, suggested for misspelt names. */
const WELL_KNOWN = `
  gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro gpt-5-codex gpt-4.1-mini gpt-4.1-nano gpt-4o-mini
  gpt-4-turbo gpt-4-32k gpt-3.5-turbo-16k gpt-oss-20b gpt-oss-120b chatgpt-4o-latest o1-mini
  o1-pro o3-mini o3-pro claude-opus claude-sonnet claude-haiku`;

/** Every known model and family: exact ones first, newest first. */
export function knownModels(): KnownModel[] {
  const published = PUBLISHED.flatMap(([encoding, names]) =>
    words(names).map((name) => ({ name, encoding, exact: true }))
  );
  const estimated = words(ESTIMATED).map((name) => ({ name, encoding: STAND_IN, exact: false }));
  return [...published, ...estimated];
}

/** The makers of models with other vocabularies. */
export function makers(): readonly string[] {
  return words(MAKERS);
}

/** Names to suggest. The shortest are left out, because every short name is similar to them. */
export function suggestions(): string[] {
  const names = knownModels().map(({ name }) => name.replace(/-?\*$/, ""));
  return [...words(WELL_KNOWN), ...names].filter((name) => name.length > 3);
}

function words(list: string): string[] {
  return list.trim().split(/\s+/);
}
