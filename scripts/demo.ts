/**
 * Counts and encodes real corpora in this runtime and compares every id with npm's `tiktoken`, in
 * the same process. `make demo` runs it under both runtimes, by way of `demo_all.mjs`.
 *
 *     bun scripts/demo.ts [--json]
 *     deno run --allow-read --allow-ffi --allow-env scripts/demo.ts [--json]
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { parseArgs } from "node:util";
import { get_encoding, type Tiktoken } from "tiktoken";
import { Tokenizer } from "../mod.ts";
import { library } from "../src/ffi/load.ts";
import { demoCorpora, type DemoCorpus } from "./demo_corpora.ts";

/** What the demo found for one corpus and encoding. */
interface Row {
  readonly encoding: string;
  readonly corpus: string;
  readonly texts: number;
  readonly bytes: number;
  readonly tokens: number;
  /** MB/s, 10^6 bytes of UTF-8 a second. */
  readonly count: number;
  readonly encode: number;
  readonly tiktoken: number;
  /** Where the ids part from tiktoken's; absent if they are equal. */
  readonly difference?: string;
}

const ENCODINGS = ["o200k_base", "cl100k_base"] as const;

/** Passes over a corpus; their median time counts. */
const PASSES = 5;

function measure(tokenizer: Tokenizer, oracle: Tiktoken, { name, texts }: DemoCorpus): Row {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const speed = (milliseconds: number) => bytes / milliseconds / 1e3;
  const { tokens, milliseconds, difference } = compare(tokenizer, oracle, texts);
  return {
    encoding: tokenizer.encoding,
    corpus: name,
    texts: texts.length,
    bytes,
    tokens,
    count: speed(median(() => texts.forEach((text) => tokenizer.count(text)))),
    encode: speed(median(() => texts.forEach((text) => tokenizer.encode(text)))),
    tiktoken: speed(milliseconds),
    ...(difference === undefined ? {} : { difference }),
  };
}

/** Compares the ids of each text, its count, and what its ids decode to. */
function compare(
  tokenizer: Tokenizer,
  oracle: Tiktoken,
  texts: readonly string[],
): { tokens: number; milliseconds: number; difference?: string } {
  let tokens = 0;
  let milliseconds = 0;
  for (const [i, text] of texts.entries()) {
    const start = performance.now();
    const truth = oracle.encode_ordinary(text);
    milliseconds += performance.now() - start;
    const ids = tokenizer.encode(text);
    tokens += truth.length;
    const at = truth.findIndex((id, j) => id !== ids[j]);
    if (at >= 0 || ids.length !== truth.length) {
      const where = at < 0 ? truth.length : at;
      const difference = `text ${i}, token ${where}: tiktoken ${truth[where]}, sluice ${
        ids[where]
      }`;
      return { tokens, milliseconds, difference };
    }
    const count = tokenizer.count(text);
    if (count !== truth.length) {
      const difference = `text ${i}: count ${count}, but ${truth.length} ids`;
      return { tokens, milliseconds, difference };
    }
    if (tokenizer.decode(ids) !== text) {
      return { tokens, milliseconds, difference: `text ${i}: does not decode to itself` };
    }
  }
  return { tokens, milliseconds };
}

function median(pass: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < PASSES; i++) {
    const start = performance.now();
    pass();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[PASSES >> 1]!;
}

function table(rows: readonly Row[]): string[] {
  const head = `${"corpus".padEnd(30)}${"bytes".padStart(11)}${"tokens".padStart(10)}` +
    `${"count".padStart(8)}${"encode".padStart(8)}${"tiktoken".padStart(10)}  equal`;
  return [
    head,
    ...rows.map((row) =>
      row.corpus.padEnd(30) +
      row.bytes.toLocaleString("en").padStart(11) +
      row.tokens.toLocaleString("en").padStart(10) +
      row.count.toFixed(0).padStart(8) +
      row.encode.toFixed(0).padStart(8) +
      row.tiktoken.toFixed(1).padStart(10) +
      (row.difference === undefined ? "  yes" : `  NO: ${row.difference}`)
    ),
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { json: { type: "boolean", default: false } },
  });
  const corpora = demoCorpora();
  const rows: Row[] = [];
  for (const encoding of ENCODINGS) {
    using tokenizer = new Tokenizer(encoding);
    const oracle = get_encoding(encoding);
    for (const corpus of corpora) {
      rows.push(measure(tokenizer, oracle, corpus));
      if (process.stderr.isTTY) process.stderr.write(".");
    }
    oracle.free();
    if (values.json) continue;
    console.log(`\n${encoding}, ${library().runtime}, speeds in MB/s`);
    for (const line of table(rows.filter((row) => row.encoding === encoding))) console.log(line);
  }
  if (values.json) console.log(JSON.stringify({ runtime: library().runtime, rows }));
  process.exitCode = rows.some(({ difference }) => difference !== undefined) ? 1 : 0;
}
