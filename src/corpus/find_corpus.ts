/**
 * The inputs of a corpus: all that can be read, or an error that names all that cannot.
 *
 * @module
 */
import path from "node:path";
import { show } from "../errors.ts";
import { printable } from "../files/file_path.ts";
import { findInputs, type FindOptions, inputFile, STDIN } from "./sources/mod.ts";
import { type InputFile, SourceError } from "./sources/source.ts";

/** Reasons that are told, and files of each that are named. */
const MOST_REASONS = 5;
const MOST_NAMED = 3;

/**
 * The files of `args`. A corpus without a file that was named would be another one, so any problem is an error.
 *
 * @param out The folder of the output, which may be inside a folder that is read.
 * @throws {SourceError}
 * @throws {TypeError | RangeError} If `args` are not paths, or none.
 */
export async function findCorpus(
  args: readonly string[],
  out: string,
  options: FindOptions,
): Promise<readonly InputFile[]> {
  checkInputs(args);
  for (const arg of args) {
    if (arg !== STDIN && isInside(out, arg)) {
      throw new SourceError(`${arg}: is in ${out}, where the output goes`);
    }
  }
  const files: InputFile[] = [];
  const problems = new Map<string, string[]>();
  let cause: unknown;
  for (const { path, kind } of findInputs(args, options)) {
    if (path !== STDIN && isInside(out, path)) continue;
    try {
      files.push(await inputFile(path, kind));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (problems.size === 0) cause = error.cause;
      const [name, reason] = partsOf(error.message, path);
      const names = problems.get(reason);
      if (names === undefined) problems.set(reason, [name]);
      else names.push(name);
    }
  }
  if (problems.size === 0) return files;
  const told = [...problems].map(([reason, names]) => {
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
    return `${names.slice(0, MOST_NAMED).join(", ")}${more}: ${reason}`;
  });
  const rest = told.length > MOST_REASONS ? [`and ${told.length - MOST_REASONS} more`] : [];
  throw new SourceError([...told.slice(0, MOST_REASONS), ...rest].join("; "), { cause });
}

/** The name of the file at the beginning of a message, and the rest, which may be that of other files too. */
function partsOf(message: string, path: string): readonly [name: string, reason: string] {
  const name = printable(path);
  return [name, message.slice(name.length + ": ".length)];
}

function checkInputs(args: unknown): void {
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== "string")) {
    throw new TypeError(`inputs must be an array of strings, not ${show(args)}`);
  }
  // Standard input is named, because a list that is empty by mistake would wait for it.
  if (args.length === 0) throw new RangeError("inputs must have an element, such as a folder or -");
}

function isInside(folder: string, file: string): boolean {
  return path.resolve(file).startsWith(path.resolve(folder) + path.sep);
}
