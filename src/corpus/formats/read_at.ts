/**
 * Positional reads that are complete, as the system may read fewer bytes than it is asked for.
 *
 * @module
 */
import fs from "node:fs";
import { FormatError } from "./format.ts";

/**
 * Reads `length` bytes at `position`, or fewer at the end of the file.
 *
 * @param into Where the bytes are put; without it, in a new array.
 */
export async function readAt(
  fd: number,
  position: number,
  length: number,
  into: Uint8Array<ArrayBuffer> = new Uint8Array(length),
): Promise<Uint8Array<ArrayBuffer>> {
  let at = 0;
  while (at < length) {
    const read = await readSome(fd, into, at, length - at, position + at);
    if (read === 0) break;
    at += read;
  }
  return into.subarray(0, at);
}

/**
 * Reads `length` bytes at `position` of a file that must have them. Both may come from a damaged file.
 *
 * @param path The path of the file, for errors.
 */
export function readExactly(
  fd: number,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = fs.fstatSync(fd);
  if (position >= 0 && length >= 0 && position + length <= size) {
    return readAt(fd, position, length);
  }
  throw new FormatError(
    `${path} has ${size} bytes, and ${length} are to be read at byte ${position}`,
  );
}

function readSome(
  fd: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.read(fd, into, offset, length, position, (error, read) => {
      if (error) reject(error);
      else resolve(read);
    })
  );
}
