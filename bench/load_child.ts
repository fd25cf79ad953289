/**
 * Loads one engine in this fresh process and says what that took: milliseconds from before its
 * import to its first count, and how much memory it left in use. Started by `load.ts`, with the name of the
 * engine and of the encoding, and for sluice as it is installed with the module that imports it.
 *
 * @module
 */
import type { Tokenizer } from "../mod.ts";
import { type BenchedEncoding, type Engine, engineOf, IMPORTS } from "./engines.ts";

/** What loading took. */
export interface Loaded {
  /** Milliseconds from before the import to the first count. */
  readonly ms: number;
  /** Megabytes of resident memory that the load added. */
  readonly rss: number;
  readonly tokens: number;
}

/** What this file needs of the runtime, from its globals: in Deno any import of `node:` takes 20 ms. */
interface Runtime {
  memoryUsage(): { readonly rss: number };
  exit(code: number): never;
}

const { Deno: deno } = globalThis as { Deno?: Runtime & { readonly args: readonly string[] } };
const runtime: Runtime = deno ?? process;
const [name, encoding, importer] = deno?.args ?? process.argv.slice(2);
const load = importer === undefined ? loadListed : await loadInstalled(importer);
const before = runtime.memoryUsage().rss;
const start = performance.now();
const engine = await load(encoding as BenchedEncoding);
const tokens = engine.count("The quick brown fox jumps over the lazy dog.");
const ms = performance.now() - start;
const rss = (runtime.memoryUsage().rss - before) / 1e6;
console.log(JSON.stringify({ ms, rss, tokens } satisfies Loaded));
runtime.exit(0);

function loadListed(encoding: BenchedEncoding): Promise<Engine> {
  return IMPORTS[name as keyof typeof IMPORTS].load(encoding);
}

/** Resolves what it imports as it is resolved for a user: from a project that has it. */
async function loadInstalled(importer: string): Promise<typeof loadListed> {
  const { default: load } = await import(importer) as {
    default(): Promise<{ Tokenizer: typeof Tokenizer }>;
  };
  return async (encoding) => engineOf(new (await load()).Tokenizer(encoding));
}
