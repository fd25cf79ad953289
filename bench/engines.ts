/**
 * Adapters of the measured tokenizers to one interface. Each is used as its documentation recommends for speed, and
 * loaded on demand, since the bench `load` times that.
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
  /** The token ids of `text`. */
  encode(text: string): ArrayLike<number>;
}

/** Loads an engine. */
export type Load = (encoding: BenchedEncoding) => Promise<Engine>;

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

/** Engines whose ids are tiktoken's on every input; of the others unequal counts are only noted. */
export const EXACT_ENGINES: readonly string[] = ["sluice", "hypertok", "tiktoken"];

/** A tokenizer of sluice as an engine. */
export function engineOf(tokenizer: Tokenizer): Engine {
  return { count: (text) => tokenizer.count(text), encode: (text) => tokenizer.encode(text) };
}

/** How to load each engine. */
export const ENGINES: Readonly<Record<EngineName, Load>> = {
  async sluice(encoding) {
    const { Tokenizer } = await import("../mod.ts");
    return engineOf(new Tokenizer(encoding));
  },

  async hypertok(encoding) {
    const { fromBytes } = await import("hypertok");
    const { loadVocab } = await import("hypertok/vocab-resolve");
    const vocabulary = await loadVocab(encoding.replace("_base", ""));
    const tokenizer = await fromBytes(vocabulary, { tier: "single" });
    return {
      count: (text) => tokenizer.encodeSync(text).length,
      encode: (text) => tokenizer.encodeSync(text),
    };
  },

  async "gpt-tokenizer"(encoding) {
    const { countTokens, encode } = encoding === "o200k_base"
      ? await import("gpt-tokenizer/encoding/o200k_base")
      : await import("gpt-tokenizer/encoding/cl100k_base");
    return { count: (text) => countTokens(text), encode: (text) => encode(text) };
  },

  async "ai-tokenizer"(encoding) {
    const { Tokenizer } = await import("ai-tokenizer");
    const data = encoding === "o200k_base"
      ? await import("ai-tokenizer/encoding/o200k_base")
      : await import("ai-tokenizer/encoding/cl100k_base");
    const tokenizer = new Tokenizer(data);
    return { count: (text) => tokenizer.count(text), encode: (text) => tokenizer.encode(text) };
  },

  async tiktoken(encoding) {
    const { get_encoding } = await import("tiktoken");
    const tokenizer = get_encoding(encoding);
    return {
      count: (text) => tokenizer.encode_ordinary(text).length,
      encode: (text) => tokenizer.encode_ordinary(text),
    };
  },

  async "js-tiktoken"(encoding) {
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
