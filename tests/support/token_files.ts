/**
 * Shards of token files that tests write, each in a folder that is removed at the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import {
  type Block,
  type FormatName,
  formatOf,
  type FormatOptions,
  type WrittenFile,
} from "../../src/corpus/formats/mod.ts";

export const U32: FormatOptions = { dtype: "u32", eos: undefined, vocabularySize: 200_019 };
export const U16: FormatOptions = { ...U32, dtype: "u16", vocabularySize: 50_257 };

/** A folder for the test files of this process, in memory where the system has one, because every file is stored with fsync. */
export const folder: string = fs.mkdtempSync(
  path.join(fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir(), "sluice-formats-"),
);
// Bun runs all test files in one process, which shares this module: the end of one file is not the end of all.
process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

let shards = 0;

/** A shard that was written: its files, and how to read its documents. */
export interface Shard {
  readonly files: readonly WrittenFile[];
  /** Its path without a suffix. */
  readonly base: string;
  bytes(suffix: string): number[];
  document(n: number): Promise<number[] | undefined>;
  /** All documents, which must be as many as the files tell. */
  documents(): Promise<number[][]>;
}

/** Writes a shard and checks what the writer tells about its files. */
export async function write(
  name: FormatName,
  blocks: readonly Block[],
  options: FormatOptions,
): Promise<Shard> {
  const format = formatOf(name);
  const base = path.join(folder, `shard-${shards++}`);
  const pathOf = (suffix: string) => base + suffix;
  const writer = await format.open(pathOf, options);
  for (const block of blocks) {
    const ids = block.ids.slice();
    await writer.write({ ...block, ids });
    // The array is the caller's again.
    ids.fill(0);
  }
  const files = await writer.finish();
  assert.deepEqual(files.map(({ suffix }) => suffix), format.suffixes);
  for (const { suffix, bytes, sha256 } of files) {
    const written = fs.readFileSync(pathOf(suffix));
    assert.equal(bytes, written.length);
    assert.equal(sha256, createHash("sha256").update(written).digest("hex"));
  }
  const document = async (n: number) => {
    const ids = await format.read(pathOf, n, options);
    return ids && [...ids];
  };
  return {
    files,
    base,
    bytes: (suffix) => [...fs.readFileSync(pathOf(suffix))],
    document,
    documents: async () => {
      const all: number[][] = [];
      for (let ids = await document(0); ids !== undefined; ids = await document(all.length)) {
        all.push(ids);
      }
      const counts = await format.count(pathOf, options);
      assert.equal(counts.documents, all.length);
      assert.ok(counts.ids === undefined || counts.ids === all.flat().length);
      return all;
    },
  };
}

/** A block of whole documents. */
export function block(documents: readonly (readonly number[])[], { dtype }: FormatOptions): Block {
  let end = 0;
  const Ids = dtype === "u16" ? Uint16Array : Uint32Array;
  return {
    ids: new Ids(documents.flat()),
    ends: new Uint32Array(documents.map(({ length }) => end += length)),
  };
}
