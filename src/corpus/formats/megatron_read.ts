/**
 * Random access to the documents of an indexed data set of Megatron-LM.
 *
 * @module
 */
import fs from "node:fs";
import { readIds } from "./flat.ts";
import { type Dtype, FormatError, type ShardCounts } from "./format.ts";
import { getU64, type IdArray, idBytes, idsOf } from "./id_array.ts";
import { readAt, readExactly } from "./read_at.ts";

const HEADER_BYTES = 34;
const LENGTH_BYTES = 4;
const POINTER_BYTES = 8;

/** The ids of document `n`, and undefined beyond the last. */
export async function readMegatron(
  idsPath: string,
  indexPath: string,
  n: number,
  dtype: Dtype,
): Promise<IdArray | undefined> {
  const fd = fs.openSync(indexPath, "r");
  let bounds: readonly [number, number] | undefined;
  try {
    bounds = await readBounds(fd, indexPath, n, idBytes(dtype));
  } finally {
    fs.closeSync(fd);
  }
  return bounds && await readIds(idsPath, bounds, dtype);
}

/** Where the sequences of a document begin and end in the ids. */
async function readBounds(
  fd: number,
  path: string,
  n: number,
  width: number,
): Promise<readonly [number, number] | undefined> {
  const { sequences, documents } = await readHeader(fd, path);
  if (n >= documents) return undefined;
  const pointers = HEADER_BYTES + LENGTH_BYTES * sequences;
  const documentsAt = pointers + POINTER_BYTES * sequences + POINTER_BYTES * n;
  const indices = await numbers(fd, path, documentsAt, 4);
  const [first, end] = [getU64(indices, 0), getU64(indices, 2)];
  if (first === end) return [0, 0];
  const begin = getU64(await numbers(fd, path, pointers + POINTER_BYTES * first, 2), 0) / width;
  const lengths = await numbers(fd, path, HEADER_BYTES + LENGTH_BYTES * first, end - first);
  return [begin, begin + lengths.reduce((sum, length) => sum + length, 0)];
}

/** How many sequences and documents an index has. */
async function readHeader(
  fd: number,
  path: string,
): Promise<{ readonly sequences: number; readonly documents: number }> {
  const header = await readAt(fd, 0, HEADER_BYTES);
  if (
    header.length < HEADER_BYTES || new TextDecoder().decode(header.subarray(0, 7)) !== "MMIDIDX"
  ) {
    throw new FormatError(`${path} is no index of Megatron`);
  }
  const view = new DataView(header.buffer, header.byteOffset);
  return {
    sequences: Number(view.getBigUint64(18, true)),
    documents: Number(view.getBigUint64(26, true)) - 1,
  };
}

/** What an index has, which must have the size that follows. */
export async function countMegatron(
  idsPath: string,
  indexPath: string,
  dtype: Dtype,
): Promise<ShardCounts> {
  const fd = fs.openSync(indexPath, "r");
  try {
    const { sequences, documents } = await readHeader(fd, indexPath);
    const bytes = HEADER_BYTES + (LENGTH_BYTES + POINTER_BYTES) * sequences +
      POINTER_BYTES * (documents + 1);
    if (fs.fstatSync(fd).size !== bytes) {
      throw new FormatError(`the index of ${documents} documents does not have ${bytes} bytes`);
    }
    return { documents, ids: fs.statSync(idsPath).size / idBytes(dtype) };
  } finally {
    fs.closeSync(fd);
  }
}

async function numbers(fd: number, path: string, at: number, count: number): Promise<Uint32Array> {
  return idsOf(await readExactly(fd, path, at, 4 * count), "u32") as Uint32Array;
}
