/**
 * Decides how a file is read, by its name and by what it is said to be.
 *
 * @module
 */
import fs from "node:fs";
import { unknownKind } from "../sources/kinds.ts";
import { type FileKind, kindOf, SourceError } from "../sources/mod.ts";
import type { EstimateKind } from "./estimate_types.ts";

/**
 * How a file is read: by its name, unless it is said to have requests, which are lines.
 *
 * @throws {SourceError} For Parquet, and for a name that does not tell whether it has lines or is a text.
 */
export function fileKindOf(path: string, kind: EstimateKind | "auto"): FileKind {
  const found = kindOf(path);
  if (found === "parquet") throw new SourceError(`${path}: Parquet files have no requests`);
  if (kind === "auto" || kind === "text") {
    if (found === undefined) {
      if (isFolder(path)) throw SourceError.of(path, "is a folder");
      throw unknownKind(path);
    }
    return found;
  }
  const compression = /\.(gz|zst)$/.exec(path.toLowerCase())?.[1];
  return compression === undefined ? "jsonl" : `jsonl.${compression as "gz" | "zst"}`;
}

function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}
