/**
 * A corpus cut into texts, and one measurement of them in a process of its own.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runSelf } from "../runtimes.ts";
import type { Measured, Order } from "./cell.ts";
import { FOLDER, PYTHON_EXECUTABLE } from "./fetch.ts";

/** UTF-16 units of each text; 0 is the whole corpus. */
export const LENGTHS = [400, 4_000, 32_000, 0] as const;

/** One of {@linkcode LENGTHS}. */
export type Length = typeof LENGTHS[number];

/** The first 4,000 units, in a process that has tokenized nothing before. */
export const FRESH = -1;
const FRESH_UNITS = 4_000;

const PIECES = join(FOLDER, "pieces");
const VOCABULARY = new URL(
  "../../node_modules/gpt-tokenizer/data/o200k_base.tiktoken",
  import.meta.url,
);

/** Writes the texts of a corpus to a file, which all contenders read. */
export function piecesOf(
  corpus: { readonly name: string; readonly text: string },
  length: Length | typeof FRESH,
): { file: string; bytes: number } {
  const pieces = cut(corpus.text, length);
  mkdirSync(PIECES, { recursive: true });
  const file = join(PIECES, `${corpus.name.replaceAll(/\W+/g, "-")}-${length}.json`);
  writeFileSync(file, JSON.stringify(pieces));
  return { file, bytes: pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0) };
}

function cut(text: string, length: Length | typeof FRESH): string[] {
  if (length === 0) return [text];
  if (length === FRESH) return [text.slice(0, FRESH_UNITS).toWellFormed()];
  const pieces: string[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = Math.min(start + length, text.length);
    // No pair is cut in two.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    pieces.push(text.slice(start, end));
  }
  return pieces;
}

/** Measures in a fresh process: an engine in this runtime, or gigatoken in Python. */
export async function measured(
  order: Order | (Omit<Order, "engine"> & { readonly engine: "gigatoken" }),
): Promise<Measured> {
  if (order.engine !== "gigatoken") {
    return JSON.parse(await runSelf("held_out/cell.ts", ["--order", JSON.stringify(order)]));
  }
  const script = fileURLToPath(new URL("gigatoken_cell.py", import.meta.url));
  const vocabulary = fileURLToPath(VOCABULARY);
  const output = execFileSync(PYTHON_EXECUTABLE, [
    script,
    JSON.stringify({ ...order, vocabulary }),
  ]);
  return JSON.parse(output.toString()) as Measured;
}
