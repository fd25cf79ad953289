/**
 * Which encoding a model uses.
 *
 * OpenAI's own table (`model.py` of tiktoken 0.14) is the authority: a model that it covers is
 * `exact`. Every other known model has a vocabulary that is not public or is not one of these
 * encodings; there {@linkcode STAND_IN} gives an estimate, and the answer says so.
 *
 * @module
 */
import { didYouMean, type EncodingName, ENCODINGS } from "./encodings.ts";
import { show, SluiceError } from "../errors.ts";

/** What is known about a model. */
export interface ResolvedModel {
  /** The model's name in lower case, without its provider. */
  readonly model: string;
  /** The encoding to count it with. */
  readonly encoding: EncodingName;
  /** Whether that is the model's own encoding. If not, counts are estimates. */
  readonly exact: boolean;
}

/** A line of the table: one model, or a family of them. */
export interface KnownModel {
  /** A name; with `*` at its end, every name that begins so. */
  readonly name: string;
  readonly encoding: EncodingName;
  readonly exact: boolean;
}

/** What stands in for a vocabulary that is not known: OpenAI's newest, as the likeliest to be near. */
const STAND_IN: EncodingName = "o200k_base";

/** The models whose encoding OpenAI has published, newest first. */
const PUBLISHED: readonly (readonly [EncodingName, string])[] = [
  [
    "o200k_base",
    `gpt-5* gpt-4.5 gpt-4.5-* gpt-4.1 gpt-4.1-* gpt-4o gpt-4o-* chatgpt-4o-*
     o1 o1-* o3 o3-* o4-mini o4-mini-* codex-mini codex-mini-*`,
  ],
  ["o200k_harmony", "gpt-oss gpt-oss-*"],
  [
    "cl100k_base",
    `gpt-4 gpt-4-* gpt-3.5 gpt-3.5-turbo gpt-3.5-turbo-* gpt-35-turbo gpt-35-turbo-*
     davinci-002 babbage-002
     text-embedding-3-large text-embedding-3-small text-embedding-ada-002`,
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

/** The models that {@linkcode STAND_IN} stands in for; the first line is OpenAI's own. */
const ESTIMATED = `
  chat-latest computer-use-preview* gpt-audio* gpt-realtime*
  claude* gemini* gemma* learnlm* palm* llama* meta-llama* codellama*
  mistral* mixtral* ministral* magistral* codestral* devstral* pixtral* voxtral* open-mistral*
  open-mixtral* deepseek* grok* qwen* qwq* qvq* command* c4ai* aya* phi-* phi3* phi4* wizardlm*
  nova-* titan-* jamba* sonar* pplx* kimi* moonshot* glm-* chatglm* minimax* abab* ernie*
  hunyuan* doubao* seed-* step-* mimo* longcat* yi-* nemotron* granite* hermes* dbrx* falcon*
  olmo* solar* inflection* lfm* mercury* reka* dolphin* vicuna* zephyr* smollm* starcoder*`;

/** Who makes models with vocabularies of their own, as the part of a name before `/` or `.`. */
const MAKERS = `
  01-ai ai21 aion-labs alibaba allenai amazon anthropic arcee-ai baidu bigcode bytedance
  bytedance-seed cognitivecomputations cohere coherelabs cohereforai databricks deepseek
  deepseek-ai eleutherai gemini google ibm-granite inception inflection liquid meituan meta
  meta-llama microsoft minimax minimaxai mistral mistralai moonshot moonshotai nousresearch nvidia
  perplexity qwen reka rekaai sao10k stepfun stepfun-ai tencent thedrummer thudm tiiuae upstage
  writer x-ai xai xiaomi z-ai zai zai-org zhipu`;

/** Names that families cover and that a misspelt name may have meant. */
const WELL_KNOWN = `
  gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro gpt-5-codex gpt-4.1-mini gpt-4.1-nano gpt-4o-mini
  gpt-4-turbo gpt-4-32k gpt-3.5-turbo-16k gpt-oss-20b gpt-oss-120b chatgpt-4o-latest o1-mini
  o1-pro o3-mini o3-pro claude-opus claude-sonnet claude-haiku`;

/** Every model and family that sluice knows: the exact ones first, newest first. */
export function knownModels(): KnownModel[] {
  const published = PUBLISHED.flatMap(([encoding, names]) =>
    words(names).map((name) => ({ name, encoding, exact: true }))
  );
  const estimated = words(ESTIMATED).map((name) => ({ name, encoding: STAND_IN, exact: false }));
  return [...published, ...estimated];
}

/** The tables in the form in which names are looked up. */
interface Index {
  /** Maps and sets, not objects: "constructor" and "__proto__" are no models. */
  readonly names: ReadonlyMap<string, KnownModel>;
  /** Families by what their names begin with, longest first, so that the first match is the best. */
  readonly families: readonly (readonly [string, KnownModel])[];
  readonly makers: ReadonlySet<string>;
}

let built: Index | undefined;

/** Built for the first model: who names an encoding does not wait 1 ms for it. */
function index(): Index {
  if (built !== undefined) return built;
  const models = knownModels();
  const families = models.filter(({ name }) => name.endsWith("*"));
  return built = {
    names: new Map(models.map((model) => [model.name, model])),
    families: families.map((model) => [model.name.slice(0, -1), model] as const)
      .sort(([a], [b]) => b.length - a.length),
    makers: new Set(words(MAKERS)),
  };
}

/** Without the shortest names, which are near to anything short. */
function suggestions(): string[] {
  const names = knownModels().map(({ name }) => name.replace(/-?\*$/, ""));
  return [...words(WELL_KNOWN), ...names].filter((name) => name.length > 3);
}

/**
 * The encoding of a model, and whether it is the model's own.
 *
 * Understood are plain names (`gpt-5-mini`), dated ones (`gpt-4o-2024-08-06`), fine-tunes
 * (`ft:gpt-4o:org::id`), a provider and more in front (`openrouter/openai/gpt-4o`,
 * `us.anthropic.claude-…`) and a variant behind (`gpt-oss:20b`). Upper and lower case are the same:
 * hubs write names in both, and no two models differ in case alone.
 *
 * @throws {TypeError} If `model` is not a string.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL`, with the nearest name that is known.
 */
export function resolveModel(model: string): ResolvedModel {
  if (typeof model !== "string") {
    throw new TypeError(`model must be a string, not ${show(model)}`);
  }
  const { name, base, foreign } = parse(model.toLowerCase());
  const { names, families } = index();
  const known = names.get(base) ?? families.find(([prefix]) => base.startsWith(prefix))?.[1];
  // Another maker may name a model like one of OpenAI's; the vocabulary need not be the same.
  if (known !== undefined) {
    return { model: name, encoding: known.encoding, exact: known.exact && !foreign };
  }
  if (foreign && base !== "") return { model: name, encoding: STAND_IN, exact: false };
  throw unknown(model, base);
}

/**
 * Takes a name apart: `us.anthropic.claude-3:0` is `claude-3` by a foreign maker. tiktoken takes
 * `ft:gpt-4.1:…` for a fine-tune of gpt-4; here the base model decides.
 */
function parse(model: string): { name: string; base: string; foreign: boolean } {
  const colon = model.indexOf(":");
  // A slash behind the first colon belongs to the name of a fine-tune.
  const slash = model.lastIndexOf("/", colon < 0 ? model.length : colon);
  const makers = slash < 0 ? [] : model.slice(0, slash).split("/");
  let name = model.slice(slash + 1);
  // Versions have dots as well, but a digit behind them.
  const dotted = /^(?:[a-z][a-z0-9-]*\.)+(?=[a-z])/.exec(name)?.[0];
  if (dotted !== undefined) {
    makers.push(...dotted.split("."));
    name = name.slice(dotted.length);
  }
  const tuned = name.startsWith("ft:") ? name.slice(3) : name;
  const base = tuned.split(":", 1)[0]!;
  return { name, base, foreign: makers.some((maker) => index().makers.has(maker)) };
}

function unknown(model: string, base: string): SluiceError {
  const what = (ENCODINGS as readonly string[]).includes(base)
    ? `${show(base)} is an encoding, not a model.`
    : `Unknown model ${show(model)}.${didYouMean(base, suggestions())}`;
  return new SluiceError(
    "SLUICE_UNKNOWN_MODEL",
    `${what} If you know its encoding, name that instead: ${ENCODINGS.join(", ")}`,
  );
}

function words(list: string): string[] {
  return list.trim().split(/\s+/);
}
