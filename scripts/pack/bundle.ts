/**
 * The JavaScript of the main package, bundled: each module takes Deno 0.15 ms to import (`bench/record`, clock and units).
 * What several entries share is in `src/chunks`.
 *
 * There are no source maps. They would be half of the package, and the code in it is as readable as the sources.
 *
 * @module
 */
import { basename } from "node:path";
import { type OutputChunk, rolldown } from "rolldown";
import { literalRequires } from "./literal_requires.ts";
import { documentedCode } from "./documents.ts";
import { checkout, ROOT } from "./manifest.ts";

/** What is not bundled: the command needs it, and the library does not. */
export const EXTERNAL: readonly string[] = ["commander", "cli-progress", "picomatch"];

/** What several parts need, in one chunk: left to itself it would be in three. */
// other_runtime.ts needs modules of Node.js, which only the command may import.
const SHARED =
  /src[/\\](?:ffi[/\\](?!other_runtime)|(?:arguments|delay|errors|known_options|short_string|text_buffer)\.)/;

/** Corpora need a part of it, which would be in a chunk of its own. */
const TOKENIZER = /src[/\\]tokenizer[/\\]/;

/** Bundles the modules at `entries`, each of which keeps its path, into `folder`. */
export async function writeBundle(entries: readonly string[], folder: string): Promise<void> {
  const input = entries.map((entry) => [entry.replace(/^\.\/|\.ts$/g, ""), entry]);
  const bundled = await rolldown({
    cwd: ROOT,
    input: Object.fromEntries(input),
    platform: "neutral",
    external: [/^node:/, /^@sluice\//, ...EXTERNAL],
    plugins: [literalRequires(), {
      name: "documented",
      renderChunk: (code) => documentedCode(code),
    }],
    resolve: { mainFields: ["module", "main"] },
    onLog: (level, log, report) => {
      // Dead code of hyparquet, which is shaken off.
      if (log.code === "UNRESOLVED_IMPORT" && log.message.includes("hyparquet/src/node.js")) return;
      report(level, log);
    },
  });
  const { output } = await bundled.write({
    dir: folder,
    format: "esm",
    // Not called after the folder of this checkout.
    chunkFileNames: ({ name }) =>
      `src/chunks/${name === basename(ROOT) ? checkout.name : name}-[hash].js`,
    codeSplitting: {
      groups: [{ name: "shared", test: SHARED }, { name: "tokenizer", test: TOKENIZER }],
    },
  });
  await bundled.close();
  const empty = output.filter((chunk): chunk is OutputChunk =>
    chunk.type === "chunk" && chunk.code.trim() === ""
  );
  if (empty.length > 0) throw new Error(`empty: ${empty.map((it) => it.fileName).join(", ")}`);
}
