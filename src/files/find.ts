/**
 * Resolves arguments to files: walks folders and expands patterns.
 *
 * @module
 */
import fs from "node:fs";
import { argumentPaths, type FilePath, printable, STDIN, textPath } from "./file_path.ts";
import { anyOf, isGlob, readGlob } from "./patterns.ts";
import { reason } from "./reason.ts";
import { type NamedKind, TEXT } from "./text_names.ts";
import { type Walk, walkFolder } from "./walk.ts";

/** Is told what could not be found or read. */
export type OnProblem = (message: string) => void;

/** Which files of folders are selected. */
export interface Selection {
  /** Patterns of the files to select, instead of those of a kind. */
  readonly include?: readonly string[];
  /** Patterns of files and folders to exclude. */
  readonly exclude?: readonly string[];
  /** Whether to select names that begin with a dot. */
  readonly hidden?: boolean;
  /** The files to select if there are no patterns. @default Text files. */
  readonly kind?: NamedKind;
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
  onProblem: OnProblem,
): FilePath[] {
  if (args.length === 0) return [textPath(STDIN)];
  return argumentPaths(args).flatMap((path) => {
    if (path.name === STDIN) return path;
    const stats = statsOf(path);
    if (stats === undefined && isGlob(path.name)) return expand(path.name, onProblem);
    if (selection === undefined || !stats?.isDirectory()) return path;
    return readFolder(path, selection, onProblem);
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

function readFolder(folder: FilePath, selection: Selection, onProblem: OnProblem): FilePath[] {
  const { include = [], exclude = [], hidden = false, kind = TEXT } = selection;
  const included = anyOf(include);
  const name = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const { walk, failed } = reporting({
    takes: include.length > 0 ? included : (path) => kind.takes(name(path)),
    leavesOut: anyOf(exclude),
    hidden,
  }, onProblem);
  const files = [...walkFolder(folder, walk)];
  if (files.length === 0 && !failed()) {
    const wanted = include.length > 0
      ? "no file that matches --include"
      : `no ${kind.described}, and --include is not given`;
    onProblem(`${printable(folder.name)}: ${wanted}`);
  }
  return files;
}

/** The files that match a pattern. */
function expand(pattern: string, onProblem: OnProblem): FilePath[] {
  const { base, depth, hidden, matches } = readGlob(pattern);
  const { walk, failed } = reporting({ takes: matches, hidden, depth }, onProblem);
  const files = [...walkFolder(textPath(base), walk)];
  if (files.length === 0 && !failed()) onProblem(`${printable(pattern)}: no file matches`);
  return files;
}

function reporting(
  walk: Omit<Walk, "onError">,
  onProblem: OnProblem,
): { walk: Walk; failed: () => boolean } {
  let failures = 0;
  const onError = ({ name }: FilePath, error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return;
    failures++;
    onProblem(`${printable(name === "" ? "." : name)}: ${reason(error)}`);
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
