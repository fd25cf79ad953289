/**
 * Every tokenizer that is measured, behind one shape. Each is used as its own documentation says is
 * fastest, and loaded only when asked for: the load bench times that.
 *
 * @module
 */
import type { Tokenizer } from "../mod.ts";

/** The encodings that all engines have. */
export const BENCHED_ENCODINGS = ["o200k_base", "cl100k_base"] as const;

/** An encoding that all engines have. */
export type BenchedEncoding = typeof BENCHED_ENCODINGS[number];

/** A loaded engine. */
export interface Engine {
  /** The number of tokens in `text`. */
  count(text: string): number;
  /** The ids of `text`. */
  encode(text: string): ArrayLike<number>;
}

/** An engine that can be loaded. */
export interface EngineSource {
  readonly name: EngineName;
  /** Whether its ids are tiktoken's on every input; where not, unequal counts are only noted. */
  readonly exact: boolean;
  load(encoding: BenchedEncoding): Promise<Engine>;
}

/** The engines by name, sluice first. */
export const ENGINE_NAMES = [
  "sluice",
  "hypertok",
  "gpt-tokenizer",
  "ai-tokenizer",
  "tiktoken",
  "js-tiktoken",
] as const;

/** The name of an engine, which is that of its package. */
export type EngineName = typeof ENGINE_NAMES[number];

/** The packages whose versions a record names. */
export const ENGINE_PACKAGES: readonly string[] = [
  ...ENGINE_NAMES.slice(1),
  "@hypertok/vocab-o200k",
  "@hypertok/vocab-cl100k",
];

const sluice: EngineSource = {
  name: "sluice",
  exact: true,
  async load(encoding) {
    const { Tokenizer } = await import("../mod.ts");
    return engineOf(new Tokenizer(encoding));
  },
};

/** The same without the other parts, which is another import. */
const sluiceAlone: EngineSource = {
  ...sluice,
  async load(encoding) {
    const { Tokenizer } = await import("../src/tokenizer/mod.ts");
    return engineOf(new Tokenizer(encoding));
  },
};

/** A tokenizer of sluice as an engine. */
export function engineOf(tokenizer: Tokenizer): Engine {
  return { count: (text) => tokenizer.count(text), encode: (text) => tokenizer.encode(text) };
}

const hypertok: EngineSource = {
  name: "hypertok",
  exact: true,
  async load(encoding) {
    const { fromBytes } = await import("hypertok");
    const { loadVocab } = await import("hypertok/vocab-resolve");
    const vocabulary = await loadVocab(encoding.replace("_base", ""));
    const tokenizer = await fromBytes(vocabulary, { tier: "single" });
    return {
      count: (text) => tokenizer.encodeSync(text).length,
      encode: (text) => tokenizer.encodeSync(text),
    };
  },
};

const gptTokenizer: EngineSource = {
  name: "gpt-tokenizer",
  exact: false,
  async load(encoding) {
    const { countTokens, encode } = encoding === "o200k_base"
      ? await import("gpt-tokenizer/encoding/o200k_base")
      : await import("gpt-tokenizer/encoding/cl100k_base");
    return { count: (text) => countTokens(text), encode: (text) => encode(text) };
  },
};

const aiTokenizer: EngineSource = {
  name: "ai-tokenizer",
  exact: false,
  async load(encoding) {
    const { Tokenizer } = await import("ai-tokenizer");
    const data = encoding === "o200k_base"
      ? await import("ai-tokenizer/encoding/o200k_base")
      : await import("ai-tokenizer/encoding/cl100k_base");
    const tokenizer = new Tokenizer(data);
    return { count: (text) => tokenizer.count(text), encode: (text) => tokenizer.encode(text) };
  },
};

const tiktoken: EngineSource = {
  name: "tiktoken",
  exact: true,
  async load(encoding) {
    const { get_encoding } = await import("tiktoken");
    const tokenizer = get_encoding(encoding);
    return {
      count: (text) => tokenizer.encode_ordinary(text).length,
      encode: (text) => tokenizer.encode_ordinary(text),
    };
  },
};

const jsTiktoken: EngineSource = {
  name: "js-tiktoken",
  exact: false,
  async load(encoding) {
    const { Tiktoken } = await import("js-tiktoken/lite");
    const { default: ranks } = encoding === "o200k_base"
      ? await import("js-tiktoken/ranks/o200k_base")
      : await import("js-tiktoken/ranks/cl100k_base");
    const tokenizer = new Tiktoken(ranks);
    return {
      count: (text) => tokenizer.encode(text).length,
      encode: (text) => tokenizer.encode(text),
    };
  },
};

/** How to load each engine. */
export const ENGINES: Readonly<Record<EngineName, EngineSource>> = {
  sluice,
  hypertok,
  "gpt-tokenizer": gptTokenizer,
  "ai-tokenizer": aiTokenizer,
  tiktoken,
  "js-tiktoken": jsTiktoken,
};

/** Sluice as it is installed from its packages, whole and by the part. */
export const INSTALLED_NAMES = ["sluice/tokenizer", "sluice"] as const;

/** What is imported from installed packages of sluice. */
export type InstalledName = typeof INSTALLED_NAMES[number];

const { sluice: _, ...rivals } = ENGINES;

/** What else is imported to count: sluice from its TypeScript, and the other engines. */
export const IMPORTS: Readonly<
  Record<
    "sluice/tokenizer, checkout" | "sluice, checkout" | Exclude<EngineName, "sluice">,
    EngineSource
  >
> = {
  "sluice/tokenizer, checkout": sluiceAlone,
  "sluice, checkout": sluice,
  ...rivals,
};

/** What a program can import to count. */
export type ImportName = InstalledName | keyof typeof IMPORTS;

/** All that can be imported to count, sluice first. */
export const IMPORT_NAMES: readonly ImportName[] = [
  ...INSTALLED_NAMES,
  ...Object.keys(IMPORTS) as (keyof typeof IMPORTS)[],
];
