/**
 * Loads one engine in this fresh process and prints the time and memory that this took. Started by `load.ts` with the
 * name of the engine, the encoding, and for sluice a module that imports it.
 *
 * @module
 */
import type { Tokenizer } from "../mod.ts";
import { type BenchedEncoding, type EngineName, engineOf, ENGINES, type Load } from "./engines.ts";

/** What loading took. */
export interface Loaded {
  /** Milliseconds from before the import to the first count. */
  readonly ms: number;
  /** Megabytes of resident memory that this added. */
  readonly rss: number;
  readonly tokens: number;
}

/** What this file needs of the runtime, from globals: in Deno any import of `node:` takes 20 ms. */
interface Runtime {
  memoryUsage(): { readonly rss: number };
  exit(code: number): never;
}

const { Deno: deno } = globalThis as { Deno?: Runtime & { readonly args: readonly string[] } };
const runtime: Runtime = deno ?? process;
const [name, encoding, importer] = deno?.args ?? process.argv.slice(2);
const load = importer === "" ? ENGINES[name as EngineName] : await loadSluice(importer!);
const before = runtime.memoryUsage().rss;
const start = performance.now();
const engine = await load(encoding as BenchedEncoding);
const tokens = engine.count("The quick brown fox jumps over the lazy dog.");
const ms = performance.now() - start;
const rss = (runtime.memoryUsage().rss - before) / 1e6;
console.log(JSON.stringify({ ms, rss, tokens } satisfies Loaded));
runtime.exit(0);

/** Resolves sluice from the module that imports it, as for a user's program. */
async function loadSluice(importer: string): Promise<Load> {
  const { default: load } = await import(importer) as {
    default(): Promise<{ Tokenizer: typeof Tokenizer }>;
  };
  return async (encoding) => engineOf(new (await load()).Tokenizer(encoding));
}
