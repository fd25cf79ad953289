/**
 * What is in a folder that `sluice tokenize` wrote.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { existsSync } from "node:fs";

/** The files below `folder`, in order, with the SHA-256 of each. The same text means the same bytes everywhere. */
export function treeOf(folder: string): string {
  return listOf(folder).map((name) => {
    const sum = createHash("sha256").update(readFileSync(join(folder, name))).digest("hex");
    return `${name} ${sum}\n`;
  }).join("");
}

/** The names of all files below `folder`, in order. */
export function listOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** A record in JSON. */
export function readRecord<T>(folder: string, name: string): T {
  return JSON.parse(readFileSync(join(folder, name), "utf8")) as T;
}

/** The shards that are committed, by their first name. */
export function shardsOf(folder: string): string[] {
  return listOf(folder).filter((name) => /^shard-\d+-of-\d+\.json$/.test(name))
    .map((name) => name.slice(0, -".json".length));
}

/** The documents of all shards of the format bin, end tokens included. */
export function documentsOf(folder: string, width: 2 | 4): Uint32Array[] {
  const documents: Uint32Array[] = [];
  for (const shard of shardsOf(folder)) {
    const bytes = readFileSync(join(folder, `${shard}.bin`));
    const ids = width === 2
      ? Uint32Array.from(
        new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
      )
      : new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const index = readFileSync(join(folder, `${shard}.idx`));
    const ends = new BigUint64Array(
      index.buffer.slice(index.byteOffset, index.byteOffset + index.length),
    );
    let from = 0;
    for (const end of ends) {
      documents.push(ids.subarray(from, Number(end)));
      from = Number(end);
    }
    if (from !== ids.length) throw new Error(`${shard}: ${ids.length} ids, ${from} in documents`);
  }
  return documents;
}
