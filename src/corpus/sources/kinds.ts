/**
 * Tables of suffixes: what kind of input a file is.
 *
 * @module
 */
import { type NamedKind, TEXT } from "../../files/text_names.ts";
import { STDIN } from "./open_file.ts";
import { type FileKind, SourceError } from "./source.ts";

/** Suffixes of JSON Lines, in lower case. Many corpora call them `.json`, such as `c4-train.00000.json.gz`. */
const LINES: ReadonlySet<string> = new Set(["jsonl", "ndjson", "json"]);

/** Suffixes of prose: what is taken of a folder. */
const PROSE: ReadonlySet<string> = new Set(["txt", "text", "md", "markdown"]);

/** Tables are not one text, which their files would be read as. */
const TABLES: ReadonlySet<string> = new Set(["csv", "tsv"]);

/** The kind of a file by its name, or undefined if its name tells none. Standard input is JSON Lines. */
export function kindOf(path: string): FileKind | undefined {
  if (path === STDIN) return "jsonl";
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)
    .toLowerCase();
  const [, bare = name, compression] = /^(.*)\.(gz|zst)$/.exec(name) ?? [];
  const suffix = bare.includes(".") ? bare.slice(bare.lastIndexOf(".") + 1) : "";
  if (suffix === "parquet") return compression === undefined ? "parquet" : undefined;
  if (TABLES.has(suffix)) return undefined;
  const kind = LINES.has(suffix)
    ? "jsonl"
    : PROSE.has(suffix) || TEXT.takes(bare)
    ? "text"
    : undefined;
  if (kind === undefined || compression === undefined) return kind;
  return `${kind}.${compression as "gz" | "zst"}`;
}

/** Why a file whose name tells no kind is not read. */
export function unknownKind(path: string): SourceError {
  const name = path.toLowerCase();
  const hint = /\.(csv|tsv)(\.|$)/.test(name)
    ? "a table of text; convert it to Parquet or JSON Lines"
    : /\.(tar|tgz|tbz2?|txz|zip|7z|rar)(\.|$)/.test(name)
    ? "an archive; unpack it"
    : /\.(bz2|xz|lz4|br)$/.test(name)
    ? "compressed in another way; only .gz and .zst are read"
    : "not .jsonl, .ndjson, .json, .parquet, .txt, .md or another text, which may have .gz or .zst; " +
      "--kind says how to read it";
  return SourceError.of(path, `its kind is not known: ${hint}`);
}

/**
 * What is taken of folders. A plain `.json` is not: it is mostly metadata, while a compressed one is mostly JSON
 * Lines.
 */
export const CORPUS: NamedKind = {
  takes: (name) =>
    /\.(?:jsonl|ndjson|txt|text|md|markdown|json(?=\.))(?:\.gz|\.zst)?$|\.parquet$/i.test(name),
  described: ".jsonl, .ndjson, .parquet, .txt or .md file, with or without .gz or .zst",
};
