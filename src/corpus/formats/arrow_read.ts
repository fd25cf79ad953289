/**
 * Reads one list of an Arrow IPC stream. Record batches before it are skipped by the lengths in their messages.
 *
 * @module
 */
import fs from "node:fs";
import { tableFromIPC } from "@uwdata/flechette";
import { messages } from "./arrow_messages.ts";
import { type Dtype, FormatError, type ShardCounts } from "./format.ts";
import type { IdArray } from "./id_array.ts";
import { readExactly } from "./read_at.ts";

const END = new Uint8Array(new Int32Array([-1, 0]).buffer);

/** The ids of document `n`, and undefined beyond the last. */
export async function readArrow(
  path: string,
  n: number,
  dtype: Dtype,
): Promise<IdArray | undefined> {
  const fd = fs.openSync(path, "r");
  try {
    let schema: Uint8Array | undefined;
    let first = 0;
    for await (const { bytes, body, bodyLength, rows } of messages(fd, path)) {
      schema ??= bytes;
      if (n < first + rows) {
        const values = await readExactly(fd, path, body, bodyLength);
        return idsOf(path, joined([schema, bytes, values, END]), n - first, dtype);
      }
      first += rows;
    }
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}

/** The rows and ids of a stream. */
export async function countArrow(path: string): Promise<ShardCounts> {
  const fd = fs.openSync(path, "r");
  try {
    let [documents, ids] = [0, 0];
    for await (const { rows, items } of messages(fd, path)) {
      documents += rows;
      ids += items;
    }
    return { documents, ids };
  } finally {
    fs.closeSync(fd);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The ids of a row of a stream with one record batch. */
function idsOf(path: string, stream: Uint8Array, row: number, dtype: Dtype): IdArray {
  let list: unknown;
  try {
    list = tableFromIPC(stream).getChild("input_ids").at(row);
  } catch (cause) {
    throw new FormatError(`${path} has a record batch that cannot be read`, { cause });
  }
  if (!(list instanceof Int32Array) && !(list instanceof Uint16Array)) {
    throw new FormatError(`${path} has no list of ids in row ${row} of a record batch`);
  }
  return dtype === "u16" ? new Uint16Array(list) : new Uint32Array(list);
}
