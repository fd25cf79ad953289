/**
 * From the arguments to the files that are read: folders are walked and patterns expanded.
 *
 * @module
 */
import fs from "node:fs";
import { argumentPaths, type FilePath, printable, STDIN, textPath } from "./file_path.ts";
import { reason } from "./input.ts";
import { anyOf, isGlob, readGlob } from "./patterns.ts";
import type { Report } from "./report.ts";
import { isTextName } from "./text_files.ts";
import { type Walk, walkFolder } from "./walk.ts";

/** What is taken from folders. */
export interface Selection {
  /** Patterns of the files to take, instead of those with a suffix of text. */
  readonly include?: readonly string[];
  /** Patterns of files and folders to leave out. */
  readonly exclude?: readonly string[];
  /** Whether to take names that begin with a dot. */
  readonly hidden?: boolean;
  /** Whether lines of JSON are wanted, and not any text. */
  readonly jsonl?: boolean;
}

/**
 * The files that `args` stand for, standard input if there are none. What cannot be found is
 * reported; what is no pattern and no folder is left for who opens it.
 *
 * @param selection What to take from folders; undefined if they are not read.
 */
export function findInputs(
  args: readonly string[],
  selection: Selection | undefined,
  report: Report,
): FilePath[] {
  if (args.length === 0) return [textPath(STDIN)];
  return argumentPaths(args).flatMap((path) => {
    if (path.name === STDIN) return path;
    const stats = statsOf(path);
    if (stats === undefined && isGlob(path.name)) return expand(path.name, report);
    if (selection === undefined || !stats?.isDirectory()) return path;
    return readFolder(path, selection, report);
  });
}

/** The size of all of `paths` in bytes, or undefined if one has none, as a pipe has not. */
export function totalSize(paths: readonly FilePath[]): number | undefined {
  let total = 0;
  for (const path of paths) {
    // What cannot be looked at does not count; reading it will say why.
    const stats = path.name === STDIN ? fs.fstatSync(0) : statsOf(path);
    if (stats !== undefined && !stats.isFile()) return undefined;
    total += stats?.size ?? 0;
  }
  return total;
}

function readFolder(folder: FilePath, selection: Selection, report: Report): FilePath[] {
  const { include = [], exclude = [], hidden = false, jsonl = false } = selection;
  const included = anyOf(include);
  const name = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const { walk, failed } = reporting({
    takes: include.length > 0 ? included : (path) => isTextName(name(path), jsonl),
    leavesOut: anyOf(exclude),
    hidden,
  }, report);
  const files = [...walkFolder(folder, walk)];
  if (files.length === 0 && !failed()) {
    const wanted = include.length > 0
      ? "no file that matches --include"
      : jsonl
      ? "no .jsonl file, and --include is not given"
      : "no file with a suffix of text, and --include is not given";
    report.error(`${printable(folder.name)}: ${wanted}`);
  }
  return files;
}

/** What a pattern stands for: files only. */
function expand(pattern: string, report: Report): FilePath[] {
  const { base, depth, hidden, matches } = readGlob(pattern);
  const { walk, failed } = reporting({ takes: matches, hidden, depth }, report);
  const files = [...walkFolder(textPath(base), walk)];
  if (files.length === 0 && !failed()) report.error(`${printable(pattern)}: no file matches`);
  return files;
}

function reporting(
  walk: Omit<Walk, "onError">,
  report: Report,
): { walk: Walk; failed: () => boolean } {
  let failures = 0;
  const onError = ({ name }: FilePath, error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return;
    failures++;
    report.error(`${printable(name === "" ? "." : name)}: ${reason(error)}`);
  };
  return { walk: { ...walk, onError }, failed: () => failures > 0 };
}

function statsOf({ at }: FilePath): fs.Stats | undefined {
  try {
    return fs.statSync(at);
  } catch {
    return undefined;
  }
}
