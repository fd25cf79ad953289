/**
 * Which encoding a model uses.
 *
 * OpenAI's own table (`model.py` of tiktoken 0.14) and the models of OpenAI's API as of November 2026
 * (npm's `openai` 6.49) are the authority: a model that they have is `exact`. Every other model has a
 * vocabulary that is not public, is not one of these encodings, or is not known yet; there
 * {@linkcode STAND_IN} gives an estimate, and the answer says so.
 *
 * @module
 */
import { didYouMean, type EncodingName, ENCODINGS } from "./encodings.ts";
import { show, SluiceError } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";

/** What is known about a model. */
export interface ResolvedModel {
  /** The model's name in lower case, without its provider; for a registered one, what it stands for. */
  readonly model: string;
  /** The encoding to count it with. */
  readonly encoding: EncodingName;
  /** Whether that is the model's own encoding. If not, counts are estimates. */
  readonly exact: boolean;
  /** Whether the table, or {@linkcode registerModels}, has the model or its family. */
  readonly known: boolean;
}

/** What becomes of a model that is not known: an encoding stands in, or it is refused. */
export type UnknownModel = EncodingName | "refuse";

/** Options of {@linkcode resolveModel}. */
export interface ResolveModelOptions {
  /**
   * What stands in for a model that is not known, or `"refuse"`.
   *
   * @default "o200k_base", the newest of OpenAI's chat models.
   */
  readonly unknownModel?: UnknownModel;
}

const OPTIONS: Known<ResolveModelOptions> = { unknownModel: true };

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

/** The models that {@linkcode STAND_IN} stands in for; the first line is OpenAI's own. */
const ESTIMATED = `
  gpt-5* chat-latest computer-use-preview* gpt-audio* gpt-realtime*
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

/** Models that this isolate was told of. */
const registered: Map<string, ResolvedModel> = new Map();

/**
 * Names models that the table does not have, such as deployments and aliases of a gateway.
 *
 * They hold for all look-ups of this isolate, before the table: the same name again replaces it. Other
 * Workers have their own; register in each. All are checked before any is registered.
 *
 * @param models By name, in any case: the model that it stands for, or its encoding, which is then taken
 * for the model's own.
 * @throws {TypeError} If `models` is not an object of strings.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL` for a target that is neither.
 *
 * @example
 * ```ts
 * import { registerModels, resolveModel } from "./mod.ts";
 *
 * registerModels({ "prod-small": "gpt-4.1-mini", "our-tuned": "cl100k_base" });
 * console.log(resolveModel("prod-small").model); // gpt-4.1-mini
 * ```
 */
export function registerModels(models: Readonly<Record<string, string>>): void {
  // A Map has no members, and would register nothing without a word.
  const isList = Array.isArray(models) || models instanceof Map;
  if (typeof models !== "object" || models === null || isList) {
    throw new TypeError(`models must be an object, not ${show(models)}`);
  }
  const checked = Object.entries(models).map(([name, target]): [string, ResolvedModel] => {
    const key = name.trim().toLowerCase();
    if (key === "") throw new TypeError("models must not have an empty name");
    if (typeof target !== "string") {
      throw new TypeError(`models[${show(name)}] must be a string, not ${show(target)}`);
    }
    const isEncoding = (ENCODINGS as readonly string[]).includes(target);
    return [
      key,
      isEncoding
        ? { model: key, encoding: target as EncodingName, exact: true, known: true }
        : lookUpModel(target, "refuse"),
    ];
  });
  for (const [key, model] of checked) registered.set(key, model);
}

/**
 * The encoding of a model, and whether it is the model's own.
 *
 * Understood are plain names (`gpt-5-mini`), dated ones (`gpt-4o-2024-08-06`), fine-tunes
 * (`ft:gpt-4o:org::id`), a provider and more in front (`openrouter/openai/gpt-4o`, `openai:gpt-4o`,
 * `us.anthropic.claude-…`), ARNs of Bedrock and resource names of Vertex, a variant behind
 * (`gpt-oss:20b`), and what {@linkcode registerModels} was told. Upper and lower case are the same, and
 * blanks around a name are none of it: hubs write names in both, and no two models differ in case alone.
 *
 * `exact` is what a table with a date says: of a `gpt-5.9` that it does not have, it is not. Any other
 * name is not `known`, and `unknownModel` says what becomes of it: a model that was released today is
 * counted by an estimate and not refused. O(length of the name).
 *
 * @throws {TypeError} If `model` is not a string, or `unknownModel` neither an encoding nor `"refuse"`.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL` with `unknownModel: "refuse"`, with the nearest name that
 * is known.
 */
export function resolveModel(model: string, options: ResolveModelOptions = {}): ResolvedModel {
  checkKnown<ResolveModelOptions>("options", options, OPTIONS);
  return lookUpModel(model, options.unknownModel);
}

/** See {@linkcode resolveModel}. */
export function lookUpModel(model: string, unknownModel: UnknownModel = STAND_IN): ResolvedModel {
  if (typeof model !== "string") {
    throw new TypeError(`model must be a string, not ${show(model)}`);
  }
  if (unknownModel !== "refuse") checkUnknown(unknownModel);
  const name = model.trim().toLowerCase();
  const found = find(name);
  if (found !== undefined) return found;
  const { name: own, base } = parse(name);
  if (unknownModel === "refuse") throw unknown(model, base);
  return { model: own, encoding: unknownModel, exact: false, known: false };
}

/** Whether `name` is a model that is known. */
export function isKnownModel(name: string): boolean {
  return find(name.trim().toLowerCase()) !== undefined;
}

function checkUnknown(value: unknown): void {
  if (typeof value === "string" && (ENCODINGS as readonly string[]).includes(value)) return;
  const expected = `unknownModel must be "refuse" or one of ${ENCODINGS.join(", ")}`;
  if (typeof value !== "string") throw new TypeError(`${expected}, not ${show(value)}`);
  throw new RangeError(`${expected}, not ${show(value)}`);
}

function find(model: string, isBehind = false): ResolvedModel | undefined {
  const { name, base, foreign } = parse(model);
  const told = registered.get(model) ?? registered.get(name);
  if (told !== undefined) return told;
  const { names, families } = index();
  const known = names.get(base) ?? families.find(([prefix]) => base.startsWith(prefix))?.[1];
  // Another maker may name a model like one of OpenAI's; the vocabulary need not be the same.
  if (known !== undefined) {
    return { model: name, encoding: known.encoding, exact: known.exact && !foreign, known: true };
  }
  if (foreign && base !== "") return { model: name, encoding: STAND_IN, exact: false, known: true };
  // `openai:gpt-4o`: what stands before the colon is no model, so it may be a provider.
  const colon = name.indexOf(":");
  if (colon < 0 || isBehind || name.startsWith("ft:")) return undefined;
  const behind = find(name.slice(colon + 1), true);
  return behind !== undefined && index().makers.has(name.slice(0, colon))
    ? { ...behind, exact: false }
    : behind;
}

/**
 * Takes a name apart: `us.anthropic.claude-3:0` is `claude-3` by a foreign maker. tiktoken takes
 * `ft:gpt-4.1:…` for a fine-tune of gpt-4; here the base model decides.
 */
function parse(full: string): { name: string; base: string; foreign: boolean } {
  // arn:aws:bedrock:region:account:inference-profile/us.anthropic.claude-…
  const model = full.startsWith("arn:") ? full.slice(full.indexOf("/") + 1) : full;
  const colon = model.indexOf(":");
  // A slash behind the first colon belongs to the name of a fine-tune.
  const slash = model.lastIndexOf("/", colon < 0 ? model.length : colon);
  let makers = slash < 0 ? [] : model.slice(0, slash).split("/");
  let name = model.slice(slash + 1);
  // Versions have dots as well, but a digit behind them.
  const dotted = /^(?:[a-z][a-z0-9-]*\.)+(?=[a-z])/.exec(name)?.[0];
  if (dotted !== undefined) {
    makers = makers.concat(dotted.split("."));
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
