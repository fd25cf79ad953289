/**
 * Writes the corpus of `demo_corpus.mjs`: documents of the installed npm packages as JSON Lines.
 *
 *     bun scripts/demo_texts.ts FILE MEGABYTES
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { documents } from "../bench/corpus/texts.ts";

const [path, megabytes] = process.argv.slice(2);
const file = openSync(path!, "w");
const limit = Number(megabytes) * 1e6;
let bytes = 0;
for (const { text } of documents("installed")) {
  bytes += writeSync(file, `${JSON.stringify({ text })}\n`);
  if (bytes >= limit) break;
}
closeSync(file);
