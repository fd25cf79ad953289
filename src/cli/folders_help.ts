/**
 * The help on which files of folders are read.
 *
 * @module
 */
import { LINE_SUFFIXES, SKIPPED_FOLDERS, TEXT_NAMES, TEXT_SUFFIXES } from "../files/text_names.ts";

const CORPORA = `
Folders are read with all that is in them, in the order of names: files with
.jsonl, .ndjson, .parquet, .txt, .text, .md and .markdown, also with .gz and .zst;
with --include, those that match one of the patterns instead; without names that
begin with a dot, unless --hidden is given. A file that is named is always read,
.json as JSON Lines.`;

/** The help on which files of a folder are selected. */
export function foldersHelp(command: string): string {
  if (command === "tokenize") return CORPORA;
  const lines = ["count", "encode"].includes(command)
    ? `\n    with --jsonl only those with ${[...LINE_SUFFIXES].join(" and ")};`
    : "";
  return `
Folders are read with all that is in them, in the order of names:
  - files with a suffix of text:
${wrap([...TEXT_SUFFIXES], 4, 80)}
    and files called
${wrap([...TEXT_NAMES], 4, 80)};${lines}
  - with --include, the files that match one of the patterns instead;
  - without names that begin with a dot, unless --hidden is given;
  - never ${[...SKIPPED_FOLDERS].join(", ")}, or links,
    unless they are named themselves.
Patterns: * is anything but /, ** is any folders, ? is a character, {a,b} is
one of these. One without a / is compared with names, any other with the path
inside the folder. A file that is named is always read. The names of files may
be patterns too, which matters in shells that do not expand them.`;
}

function wrap(words: readonly string[], indent: number, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((line) => " ".repeat(indent) + line).join("\n");
}
