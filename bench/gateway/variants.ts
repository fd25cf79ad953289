/**
 * How the measured gateway counts a prompt: one entry for each way. A further way is one more
 * entry here and in {@linkcode VARIANTS}.
 *
 * @module
 */
import { Tokenizer } from "../../mod.ts";
import { type EngineName, ENGINES } from "../engines.ts";

/** The tokens of a text, now or later; undefined where the gateway does not count. */
export type CountText = ((text: string) => number | Promise<number>) | undefined;

/** The ways to count, the baseline first. */
export const VARIANTS = [
  "none",
  "gpt-tokenizer",
  "hypertok",
  "sluice",
  "sluice, async",
  "sluice, cached",
] as const;

/** A way to count. */
export type Variant = typeof VARIANTS[number];

/** Ways whose counts are tiktoken's on every input. */
export const EXACT_VARIANTS: readonly Variant[] = [
  "hypertok",
  "sluice",
  "sluice, async",
  "sluice, cached",
];

const LOADERS: Readonly<Record<Variant, () => Promise<CountText>>> = {
  "none": () => Promise.resolve(undefined),
  "gpt-tokenizer": () => inline("gpt-tokenizer"),
  "hypertok": () => inline("hypertok"),
  "sluice": () => inline("sluice"),
  "sluice, async": () => {
    const tokenizer = new Tokenizer("o200k_base");
    return Promise.resolve((text) => tokenizer.countAsync(text));
  },
  "sluice, cached": () => {
    const tokenizer = new Tokenizer("o200k_base", { cache: true });
    return Promise.resolve((text) => tokenizer.count(text));
  },
};

async function inline(engine: EngineName): Promise<CountText> {
  const { count } = await ENGINES[engine].load("o200k_base");
  return count;
}

/** Loads what a way to count needs. */
export function loadVariant(variant: Variant): Promise<CountText> {
  return LOADERS[variant]();
}
