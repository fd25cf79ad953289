/**
 * Loads one engine in this fresh process and says what that took: milliseconds from before its
 * import to its first count, and how much memory it left in use. Started by `load.ts`, with the name of the
 * engine and of the encoding.
 *
 * @module
 */
import { type BenchedEncoding, type ImportName, IMPORTS } from "./engines.ts";

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
const [name, encoding] = deno?.args ?? process.argv.slice(2);
const before = runtime.memoryUsage().rss;
const start = performance.now();
const engine = await IMPORTS[name as ImportName].load(encoding as BenchedEncoding);
const tokens = engine.count("The quick brown fox jumps over the lazy dog.");
const ms = performance.now() - start;
const rss = (runtime.memoryUsage().rss - before) / 1e6;
console.log(JSON.stringify({ ms, rss, tokens } satisfies Loaded));
runtime.exit(0);
