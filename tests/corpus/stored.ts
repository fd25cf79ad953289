/**
 * Compressed files without compression: blocks that are stored as they are. The bytes are the same wherever they are
 * made, which those of a compressor are not, and so are the units of a plan that counts them.
 *
 * @module
 */
// cspell:ignore Zstandard
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** One gzip member (RFC 1952) with stored blocks (RFC 1951, 3.2.4). */
export function gzipMember(bytes: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [Buffer.from("1f8b08000000000000ff", "hex")];
  for (let from = 0; from === 0 || from < bytes.length; from += 65_535) {
    const block = bytes.subarray(from, from + 65_535);
    const head = Buffer.alloc(5);
    head[0] = from + block.length === bytes.length ? 1 : 0;
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(~block.length & 0xffff, 3);
    pieces.push(head, block);
  }
  const end = Buffer.alloc(8);
  end.writeUInt32LE(crc32(bytes) >>> 0, 0);
  end.writeUInt32LE(bytes.length >>> 0, 4);
  return Buffer.concat([...pieces, end]);
}

/** One Zstandard frame (RFC 8878) with raw blocks. */
export function zstdFrame(bytes: Uint8Array): Uint8Array {
  // No checksum, a single segment, and the size of the content in four bytes.
  const head = Buffer.from("28b52ffda000000000", "hex");
  head.writeUInt32LE(bytes.length, 5);
  const pieces: Uint8Array[] = [head];
  for (let from = 0; from === 0 || from < bytes.length; from += 131_072) {
    const block = bytes.subarray(from, from + 131_072);
    const isLast = from + block.length === bytes.length;
    const size = Buffer.alloc(3);
    size.writeUIntLE(block.length << 3 | (isLast ? 1 : 0), 0, 3);
    pieces.push(size, block);
  }
  return Buffer.concat(pieces);
}
