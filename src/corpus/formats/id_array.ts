/**
 * Typed arrays of ids of both widths, and 64-bit numbers as two halves.
 *
 * @module
 */
import { type Block, type Dtype, FormatError } from "./format.ts";

/** An array of ids. */
export type IdArray = Block["ids"];

/** The bytes of an id. */
export function idBytes(dtype: Dtype): 2 | 4 {
  return dtype === "u16" ? 2 : 4;
}

/** The bytes of an array, which are not copied. All supported platforms are little-endian. */
export function bytesOf(array: IdArray | Int32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** An array of ids from bytes as they are in a file. */
export function idsOf(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype): IdArray {
  const { buffer } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const offset = bytes.byteOffset % 4 === 0 ? bytes.byteOffset : 0;
  const length = bytes.length / idBytes(dtype);
  if (!Number.isInteger(length)) throw new FormatError(`${bytes.length} bytes are no ${dtype} ids`);
  return dtype === "u16"
    ? new Uint16Array(buffer, offset, length)
    : new Uint32Array(buffer, offset, length);
}

/** Throws if a block is not one of this width, or its ends are not in it. */
export function checkBlock({ ids, ends, names }: Block, dtype: Dtype): void {
  const expected = dtype === "u16" ? Uint16Array : Uint32Array;
  if (!(ids instanceof expected)) throw new TypeError(`ids are not an array of ${dtype}`);
  const last = ends.at(-1) ?? 0;
  if (last > ids.length) {
    throw new RangeError(`a document ends at ${last} in a block of ${ids.length} ids`);
  }
  if (names !== undefined && names.length !== ends.length) {
    throw new RangeError(`there are ${names.length} names of ${ends.length} documents`);
  }
}

/** Puts a number below 2^53 into two elements of an array, the lower half first. */
export function putU64(array: Uint32Array, index: number, value: number): void {
  array[index] = value;
  array[index + 1] = value / 2 ** 32;
}

/** A number of two elements. */
export function getU64(array: Uint32Array, index: number): number {
  return array[index]! + array[index + 1]! * 2 ** 32;
}
