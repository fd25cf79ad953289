/**
 * File names, as bytes for the file system and as text for people.
 *
 * On Linux a name is a sequence of bytes. Arguments and directory listings have it as text, with U+FFFD where it
 * is not UTF-8, which would be the name of another file.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import path from "node:path";
import { decodeUtf8 } from "./utf8.ts";

/** The path that stands for standard input. */
export const STDIN = "-";

/** A file: its path for the file system and its name for people. */
export interface FilePath {
  /** For the file system: bytes if the name is not UTF-8. */
  readonly at: string | Buffer;
  /** For messages and results: bytes that are not UTF-8 are written `\xff`. */
  readonly name: string;
}

/** A path that is text. */
export function textPath(path: string): FilePath {
  return { at: path, name: path };
}

/** A path as bytes. */
export function bytesPath(bytes: Buffer): FilePath {
  const text = decodeUtf8(bytes);
  return text === undefined ? { at: bytes, name: escapeBytes(bytes) } : textPath(text);
}

/** The path of `entry` in `folder`. */
export function joinPath(folder: FilePath, entry: FilePath): FilePath {
  const [left, right] = [folder.at, entry.at];
  const separator = /[/\\]$/.test(folder.name) ? "" : path.sep;
  const name = folder.name + separator + entry.name;
  if (typeof left === "string" && typeof right === "string") return { at: name, name };
  return { at: Buffer.concat([bytesOf(left), Buffer.from(separator), bytesOf(right)]), name };
}

/** Whether the path has U+FFFD, which usually replaces bytes that are not UTF-8. */
export function isReplaced(name: string): boolean {
  return name.includes("\uFFFD");
}

/**
 * Arguments as paths. For an argument with U+FFFD the original bytes are looked up in `/proc`. On systems without
 * it, which is all but Linux, the argument is used unchanged.
 */
export function argumentPaths(args: readonly string[]): FilePath[] {
  const raw = args.some(isReplaced) ? rawArguments() : [];
  return args.map((arg) => {
    // Options may be among the files, so an argument is found by its text.
    const at = isReplaced(arg) ? raw.findIndex((bytes) => bytes.toString() === arg) : -1;
    return at < 0 ? textPath(arg) : bytesPath(raw.splice(at, 1)[0]!);
  });
}

/** A name for a line of output: line breaks and control characters are escaped, such as `\x1b`. */
export function printable(name: string): string {
  return name.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
    (char) => {
      const code = char.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}

function rawArguments(): Buffer[] {
  try {
    const line = fs.readFileSync("/proc/self/cmdline");
    const args: Buffer[] = [];
    for (let start = 0; start < line.length;) {
      const end = line.indexOf(0, start);
      args.push(line.subarray(start, end < 0 ? line.length : end));
      start += args.at(-1)!.length + 1;
    }
    return args;
  } catch {
    return [];
  }
}

function bytesOf(path: string | Buffer): Buffer {
  return typeof path === "string" ? Buffer.from(path) : path;
}

/** Text in which bytes that are not UTF-8 are escaped, such as `\xff`. */
function escapeBytes(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((n) => decodeUtf8(bytes.subarray(at, at + n)) !== undefined);
    text += length === undefined
      ? `\\x${bytes[at]!.toString(16)}`
      : decodeUtf8(bytes.subarray(at, at + length));
    at += length ?? 1;
  }
  return text;
}
