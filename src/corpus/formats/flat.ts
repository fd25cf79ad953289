/**
 * Formats of one array of ids and one array of the ends of documents, each behind an optional header.
 *
 * @module
 */
import fs from "node:fs";
import { END_BYTES, EndsWriter, readEnds } from "./ends_file.ts";
import {
  type Block,
  type Dtype,
  type Format,
  FormatError,
  type FormatName,
  type FormatOptions,
  type FormatWriter,
  type ShardCounts,
  type WrittenFile,
} from "./format.ts";
import { HashedFile } from "./hashed_file.ts";
import { bytesOf, checkBlock, type IdArray, idBytes, idsOf } from "./id_array.ts";
import { readExactly } from "./read_at.ts";

/** A header of a fixed size that tells how many numbers follow. */
export interface Header {
  readonly bytes: number;
  make(count: number, options: FormatOptions): Uint8Array<ArrayBuffer>;
}

/** What the formats of this shape differ in. */
export interface FlatLayout {
  readonly name: FormatName;
  readonly ids: { readonly suffix: string; readonly header?: Header };
  readonly ends: { readonly suffix: string; readonly header?: Header };
  readonly defaultEos: Format["defaultEos"];
  /** The most ids of a shard. @default No limit. */
  readonly maxIds?: number;
}

/** A format of this shape. */
export function flatFormat(layout: FlatLayout): Format {
  const { name, ids, ends, defaultEos } = layout;
  return {
    name,
    defaultEos,
    suffixes: [ids.suffix, ends.suffix],
    open: async (pathOf, options) => {
      const files = await createFiles([
        () => new HashedFile(pathOf(ids.suffix), ids.header?.bytes),
        () => new HashedFile(pathOf(ends.suffix), ends.header?.bytes),
      ]);
      return new FlatWriter(layout, files, options);
    },
    read: async (pathOf, n, { dtype }) => {
      const range = await readRange(pathOf(ends.suffix), n, ends.header?.bytes);
      return range && await readIds(pathOf(ids.suffix), range, dtype, ids.header?.bytes);
    },
    count: (pathOf, options) => count(layout, pathOf, options),
  };
}

class FlatWriter implements FormatWriter {
  readonly #layout: FlatLayout;
  readonly #options: FormatOptions;
  readonly #ids: HashedFile;
  readonly #ends: HashedFile;
  readonly #index: EndsWriter;
  #count = 0;

  constructor(
    layout: FlatLayout,
    [ids, ends]: readonly [HashedFile, HashedFile],
    options: FormatOptions,
  ) {
    this.#layout = layout;
    this.#options = options;
    this.#ids = ids;
    this.#ends = ends;
    this.#index = new EndsWriter(ends);
  }

  // deno-lint-ignore require-await -- a failure is a rejection
  async write(block: Block): Promise<void> {
    checkBlock(block, this.#options.dtype);
    const { ids, ends } = block;
    const { name, maxIds = Infinity } = this.#layout;
    if (this.#count + ids.length > maxIds) {
      throw new FormatError(`${name} has at most ${maxIds} ids in a shard: use smaller units`);
    }
    this.#ids.write(bytesOf(ids));
    this.#index.write(ends, this.#count);
    this.#count += ids.length;
  }

  async finish(): Promise<readonly WrittenFile[]> {
    const { ids, ends } = this.#layout;
    return [
      {
        suffix: ids.suffix,
        ...await this.#ids.finish(ids.header?.make(this.#count, this.#options)),
      },
      {
        suffix: ends.suffix,
        ...await this.#ends.finish(ends.header?.make(this.#index.count, this.#options)),
      },
    ];
  }

  abort(): Promise<void> {
    return closeAll([this.#ids, this.#ends]);
  }
}

/** Creates two files, or none. */
export async function createFiles(
  [first, second]: readonly [() => HashedFile, () => HashedFile],
): Promise<readonly [HashedFile, HashedFile]> {
  const one = first();
  try {
    return [one, second()];
  } catch (error) {
    await one.close();
    throw error;
  }
}

/** Closes all files, even if one of them fails. */
export async function closeAll(files: readonly HashedFile[]): Promise<void> {
  const results = await Promise.allSettled(files.map((file) => file.close()));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function count(
  { ids, ends }: FlatLayout,
  pathOf: (suffix: string) => string,
  { dtype }: FormatOptions,
): Promise<ShardCounts> {
  const lengthOf = ({ suffix, header }: FlatLayout["ids"], width: number) => {
    const length = (fs.statSync(pathOf(suffix)).size - (header?.bytes ?? 0)) / width;
    if (Number.isInteger(length) && length >= 0) return length;
    throw new FormatError(`${pathOf(suffix)} ends within its header or a number`);
  };
  const documents = lengthOf(ends, END_BYTES);
  const idCount = lengthOf(ids, idBytes(dtype));
  const last = documents === 0
    ? [0, 0]
    : await readRange(pathOf(ends.suffix), documents - 1, ends.header?.bytes);
  if (last?.[1] !== idCount) {
    throw new FormatError(`its index ends at id ${last?.[1]}, and there are ${idCount} ids`);
  }
  return { documents, ids: idCount };
}

async function readRange(
  path: string,
  n: number,
  header?: number,
): Promise<readonly [number, number] | undefined> {
  const fd = fs.openSync(path, "r");
  try {
    return await readEnds(fd, n, header);
  } finally {
    fs.closeSync(fd);
  }
}

/** The ids from `begin` to `end` of a file. */
export async function readIds(
  path: string,
  [begin, end]: readonly [number, number],
  dtype: Dtype,
  header = 0,
): Promise<IdArray> {
  const width = idBytes(dtype);
  const fd = fs.openSync(path, "r");
  try {
    const bytes = await readExactly(fd, path, header + begin * width, (end - begin) * width);
    return idsOf(bytes, dtype);
  } finally {
    fs.closeSync(fd);
  }
}
