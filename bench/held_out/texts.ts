/**
 * Cuts a corpus into texts of one length.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Corpus } from "./corpora.ts";
import { FOLDER } from "./fetch.ts";

/** UTF-16 units of each text; 0 is the whole corpus. */
export const LENGTHS = [400, 4_000, 32_000, 0] as const;

/** The first 4,000 units, for a process that has tokenized nothing before. */
export const FRESH = -1;
const FRESH_UNITS = 4_000;

/** Writes the texts of a corpus to a JSON file, which all engines read, and returns its path. */
export function writeTexts({ name, text }: Pick<Corpus, "name" | "text">, length: number): string {
  const folder = join(FOLDER, "texts");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/\W+/g, "-")}-${length}.json`);
  writeFileSync(path, JSON.stringify(cut(text, length)));
  return path;
}

function cut(text: string, length: number): string[] {
  if (length === 0) return [text];
  if (length === FRESH) return [text.slice(0, FRESH_UNITS).toWellFormed()];
  const texts: string[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = Math.min(start + length, text.length);
    // No surrogate pair is cut.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    texts.push(text.slice(start, end));
  }
  return texts;
}
