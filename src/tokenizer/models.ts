/**
 * Look-up of models: from a name, as providers and gateways write it, to an encoding.
 *
 * @module
 */
import { didYouMean, type EncodingName, ENCODINGS } from "./encodings.ts";
import { show, SluiceError } from "../errors.ts";
import { checkKnown, type Known } from "../known_options.ts";
import { type KnownModel, knownModels, makers, STAND_IN, suggestions } from "./model_table.ts";

/** What is known about a model. */
export interface ResolvedModel {
  /** The model's name in lower case, without its provider. For a registered name, the model it stands for. */
  readonly model: string;
  /** The encoding to count with. */
  readonly encoding: EncodingName;
  /** Whether that is the model's own encoding. If not, counts are estimates. */
  readonly exact: boolean;
  /** Whether the table, or {@linkcode registerModels}, has the model or its family. */
  readonly known: boolean;
}

/** What happens with an unknown model: an encoding is used for an estimate, or the model is refused. */
export type UnknownModel = EncodingName | "refuse";

/** Options of {@linkcode resolveModel}. */
export interface ResolveModelOptions {
  /**
   * The encoding for an unknown model, or `"refuse"`.
   *
   * @default "o200k_base", that of OpenAI's newest chat models.
   */
  readonly unknownModel?: UnknownModel | undefined;
}

const OPTIONS: Known<ResolveModelOptions> = { unknownModel: true };

/** The table as hash maps and sorted prefixes. */
interface Index {
  /** Maps and sets instead of objects, which would have "constructor" and "__proto__". */
  readonly names: ReadonlyMap<string, KnownModel>;
  /** Families by prefix, longest prefix first: the first match is the most specific. */
  readonly families: readonly (readonly [string, KnownModel])[];
  readonly makers: ReadonlySet<string>;
}

let built: Index | undefined;

/** Built on first use, which takes 1 ms: a program that names an encoding does not need it. */
function index(): Index {
  if (built !== undefined) return built;
  const models = knownModels();
  const families = models.filter(({ name }) => name.endsWith("*"));
  return built = {
    names: new Map(models.map((model) => [model.name, model])),
    families: families.map((model) => [model.name.slice(0, -1), model] as const)
      .sort(([a], [b]) => b.length - a.length),
    makers: new Set(makers()),
  };
}

/** The models that this isolate has registered. */
const registered: Map<string, ResolvedModel> = new Map();

/**
 * Registers names that the table does not have, such as deployments and aliases of a gateway.
 *
 * They apply to all look-ups of this isolate and take precedence over the table. Registering a name again
 * replaces it. Each Worker has its own names, so register them in each. All names are checked before any is
 * registered.
 *
 * @param models For each name, in any case: the model that it stands for, or its encoding, which is then
 * taken to be the model's own.
 * @throws {TypeError} If `models` is not an object of strings.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL` for a target that is neither a model nor an encoding.
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
  // A Map has no own properties, so nothing would be registered, without an error.
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
 * These forms are read: plain names (`gpt-5-mini`), dated names (`gpt-4o-2024-08-06`), fine-tunes
 * (`ft:gpt-4o:org::id`), names behind a provider (`openrouter/openai/gpt-4o`, `openai:gpt-4o`,
 * `us.anthropic.claude-…`), ARNs of Bedrock, resource names of Vertex, names with a variant
 * (`gpt-oss:20b`), and the names of {@linkcode registerModels}. Case and surrounding white space are
 * ignored, since no two models differ in case alone.
 *
 * `exact` is true only for models that the table has: a `gpt-5.9` that is newer than the table is not exact.
 * A name that no row of the table matches is not `known`. By default it is counted by an estimate, so that a
 * model released today is not refused. O(length of the name).
 *
 * @throws {TypeError} If `model` is not a string, or `unknownModel` is neither an encoding nor `"refuse"`.
 * @throws {SluiceError} `SLUICE_UNKNOWN_MODEL` with `unknownModel: "refuse"`, with the nearest known name.
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

/**
 * The encoding of a model, for a tokenizer.
 *
 * @param estimate Whether the nearest public encoding may be used where the model's own is not public.
 * @throws {SluiceError} Without `estimate`: `SLUICE_UNKNOWN_MODEL` or `SLUICE_VOCABULARY_NOT_PUBLIC`.
 */
export function encodingOf(
  model: string,
  estimate: boolean,
): Pick<ResolvedModel, "encoding" | "exact"> {
  const { encoding, exact } = lookUpModel(model, estimate ? undefined : "refuse");
  if (exact || estimate) return { encoding, exact };
  const name = show(model);
  throw new SluiceError(
    "SLUICE_VOCABULARY_NOT_PUBLIC",
    `The vocabulary of ${name} is not public, so its token ids cannot be computed. To estimate counts ` +
      `with ${encoding}, use Tokenizer.forModel(${name}, { estimate: true })`,
  );
}

/** Whether `name` is a known model. */
export function isKnownModel(name: string): boolean {
  return find(name.trim().toLowerCase()) !== undefined;
}

function checkUnknown(value: unknown): void {
  if (typeof value === "string" && (ENCODINGS as readonly string[]).includes(value)) return;
  const expected = `unknownModel must be "refuse" or one of ${ENCODINGS.join(", ")}`;
  if (typeof value !== "string") throw new TypeError(`${expected}, not ${show(value)}`);
  throw new RangeError(`${expected}, not ${show(value)}`);
}

function find(model: string, isAfterColon = false): ResolvedModel | undefined {
  const { name, base, foreign } = parse(model);
  const own = registered.get(model) ?? registered.get(name);
  if (own !== undefined) return own;
  const { names, families } = index();
  const known = names.get(base) ?? families.find(([prefix]) => base.startsWith(prefix))?.[1];
  // A model of another maker may have a name of OpenAI's, but another vocabulary.
  if (known !== undefined) {
    return { model: name, encoding: known.encoding, exact: known.exact && !foreign, known: true };
  }
  if (foreign && base !== "") return { model: name, encoding: STAND_IN, exact: false, known: true };
  // `openai:gpt-4o`: the part before the colon is not a model, so it may be a provider.
  const colon = name.indexOf(":");
  if (colon < 0 || isAfterColon || name.startsWith("ft:")) return undefined;
  const after = find(name.slice(colon + 1), true);
  return after !== undefined && index().makers.has(name.slice(0, colon))
    ? { ...after, exact: false }
    : after;
}

/**
 * Splits a name: `us.anthropic.claude-3:0` is `claude-3` of another maker than OpenAI. Unlike tiktoken, which
 * takes `ft:gpt-4.1:…` for a fine-tune of gpt-4, the base model decides.
 */
function parse(full: string): { name: string; base: string; foreign: boolean } {
  // arn:aws:bedrock:region:account:inference-profile/us.anthropic.claude-…
  const model = full.startsWith("arn:") ? full.slice(full.indexOf("/") + 1) : full;
  const colon = model.indexOf(":");
  // A slash after the first colon belongs to the name of a fine-tune.
  const slash = model.lastIndexOf("/", colon < 0 ? model.length : colon);
  let makers = slash < 0 ? [] : model.slice(0, slash).split("/");
  let name = model.slice(slash + 1);
  // In version numbers a digit follows the dot.
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
