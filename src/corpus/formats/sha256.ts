/**
 * SHA-256 of files and of bytes that come in pieces. The one place that names the implementation.
 *
 * @module
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { readAt } from "./read_at.ts";

/** Files are read in pieces of this size. */
const PIECE = 1 << 20;

/** How many bytes a file has, and their SHA-256 in hexadecimal. */
export interface FileSum {
  readonly bytes: number;
  readonly sha256: string;
}

/** A sum over bytes that come in pieces. */
export class Sha256 {
  readonly #hash = createHash("sha256");

  /** Adds bytes, which may be overwritten afterwards. */
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** The sum in hexadecimal. Nothing can be added afterwards. */
  hex(): string {
    return this.#hash.digest("hex");
  }
}

/** The sum of a whole open file. `onRead` is called with the size of each piece. */
export async function sumOf(fd: number, onRead?: (bytes: number) => void): Promise<FileSum> {
  const sum = new Sha256();
  const buffer = new Uint8Array(PIECE);
  for (let position = 0;;) {
    const bytes = await readAt(fd, position, PIECE, buffer);
    sum.update(bytes);
    position += bytes.length;
    onRead?.(bytes.length);
    if (bytes.length < PIECE) return { bytes: position, sha256: sum.hex() };
  }
}

/** The sum of a file. `onRead` is called with the size of each piece. */
export async function sumOfFile(path: string, onRead?: (bytes: number) => void): Promise<FileSum> {
  const fd = fs.openSync(path, "r");
  try {
    return await sumOf(fd, onRead);
  } finally {
    fs.closeSync(fd);
  }
}
