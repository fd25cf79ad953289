/**
 * Finds the inputs of a corpus: files, folders with all in them, glob patterns, and standard input.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import { isReplaced, printable } from "../../files/file_path.ts";
import { findInputs as findPaths, type Selection } from "../../files/find.ts";
import { CORPUS } from "./kinds.ts";
import { STDIN } from "./open_file.ts";
import { type FileKind, SourceError } from "./source.ts";

/** Which files of folders are read, and how. */
export interface FindOptions extends Omit<Selection, "kind"> {
  /** How all inputs are read, whatever their suffixes are. */
  readonly kind?: FileKind | undefined;
}

/** An input that was found. It may not exist if it was named. */
export interface FoundInput {
  readonly path: string;
  /** Undefined to take it from the suffix. */
  readonly kind?: FileKind | undefined;
}

/**
 * The inputs that `args` mean, in the order of the code points of their paths.
 *
 * The order depends on the paths alone, and neither on the system nor on the locale. A file that is given in several
 * ways is read once.
 *
 * @param args Files, folders, glob patterns, and `-` for standard input.
 * @throws {SourceError} If a folder or a pattern has no file, or a name is not UTF-8.
 */
export function findInputs(
  args: readonly string[],
  { kind, ...selection }: FindOptions = {},
): readonly FoundInput[] {
  const problems: string[] = [];
  const paths = new Map<string, string>();
  const found = findPaths(
    args,
    { ...selection, kind: CORPUS },
    (problem) => problems.push(problem),
  );
  for (const { at, name } of found) {
    // Some runtimes list such a name with U+FFFD, which is the name of no file.
    if (typeof at !== "string" || isReplaced(at) && !fs.existsSync(at)) {
      // The plan is JSON, and not every runtime can open such a file.
      problems.push(`${printable(name)}: its name is not UTF-8; rename it`);
      continue;
    }
    const key = at === STDIN ? at : path.resolve(at);
    const before = paths.get(key);
    if (before === undefined || byCodePoints(at, before) < 0) paths.set(key, at);
  }
  if (problems.length > 0) throw new SourceError(problems.join("; "));
  return [...paths.values()].sort(byCodePoints).map((path) => ({ path, kind }));
}

/** UTF-8 has the order of code points, and the UTF-16 of JavaScript has not. */
function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
