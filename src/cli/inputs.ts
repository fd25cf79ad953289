/**
 * Resolves arguments to files: walks folders and expands patterns.
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

/** Which files of folders are selected. */
export interface Selection {
  /** Patterns of the files to select, instead of those with a suffix of text files. */
  readonly include?: readonly string[];
  /** Patterns of files and folders to exclude. */
  readonly exclude?: readonly string[];
  /** Whether to select names that begin with a dot. */
  readonly hidden?: boolean;
  /** Whether to select JSON Lines only. */
  readonly jsonl?: boolean;
}

/**
 * The files of `args`, or standard input if there are none. Patterns and folders without files are reported.
 * Other arguments are returned without a check, and opening them reports errors.
 *
 * @param selection Which files of folders to select; undefined if folders are not read.
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

/** The total size of `paths` in bytes, or undefined if one has no size, such as a pipe. */
export function totalSize(paths: readonly FilePath[]): number | undefined {
  let total = 0;
  for (const path of paths) {
    // A file without stats is ignored. Reading it will report the error.
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

/** The files that match a pattern. */
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
