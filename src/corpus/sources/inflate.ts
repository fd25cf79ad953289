/**
 * Decompression of gzip and zstd as a stream: all members and all frames, and an error if the end is missing.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import zlib from "node:zlib";
import type { ByteSource } from "./byte_source.ts";
import { type OpenFile, STDIN } from "./open_file.ts";
import { type ReadOptions, SourceError } from "./source.ts";
import { ZstdFormatError, zstdFrames } from "./zstd_frames.ts";

/** Compressed bytes that are read at once. */
const COMPRESSED_BYTES = 1 << 17;

/** What is decompressed at once, off the thread. More is not faster, and leaves more memory to the collector. */
const CHUNK_BYTES = 1 << 17;

/** Frames of no more contents are decompressed in one call, which has no stream to set up. */
const SMALL_FRAME_BYTES = 1 << 20;

/** The window that zstd's decompressor allows by itself. */
const USUAL_WINDOW_BYTES = 2 ** 27;

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>>;

/** The decompressed bytes of a file. */
export class InflatedSource implements ByteSource {
  readonly #chunks: AsyncGenerator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(opened: OpenFile, compression: "gz" | "zst", options: ReadOptions) {
    const pieces = compressedPieces(opened, options);
    const { path } = opened.file;
    this.#chunks = compression === "gz"
      ? gunzip(pieces, path, options)
      : unzstd(pieces, path, options);
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      if (this.#chunk.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done) break;
        this.#chunk = value;
      }
      const taken = this.#chunk.subarray(0, into.length - filled);
      into.set(taken, filled);
      filled += taken.length;
      this.#chunk = this.#chunk.subarray(taken.length);
    }
    return filled;
  }

  /** Ends the decompressor. Nothing is read afterwards. */
  async close(): Promise<void> {
    await this.#chunks.return(undefined);
  }
}

async function* compressedPieces(opened: OpenFile, { onRead }: ReadOptions): Pieces {
  const { path, size } = opened.file;
  const end = path === STDIN ? Infinity : size;
  for (let position = 0; position < end;) {
    const buffer = new Uint8Array(Math.min(COMPRESSED_BYTES, end - position));
    const read = await opened.read(buffer, position);
    if (read === 0) return;
    position += read;
    onRead?.(read);
    yield buffer.subarray(0, read);
  }
}

/** All members. The runtimes differ in what they do at zeros behind a member, so their end is found here. */
async function* gunzip(
  pieces: Pieces,
  path: string,
  { signal }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array<ArrayBuffer>[] = [];
  let isFirst = true;
  for (;;) {
    const unread = await withoutZeros(rest, pieces, isFirst);
    if (unread === undefined) return;
    isFirst = false;
    const decoder = zlib.createGunzip({ chunkSize: CHUNK_BYTES });
    const fed = new Fed(unread, pieces);
    try {
      yield* through(decoder, fed.pieces(decoder));
    } catch (error) {
      if (error === signal?.reason) throw error;
      throw gzipError(path, error);
    }
    rest = fed.behind(decoder.bytesWritten);
  }
}

/** The pieces that begin with a byte other than zero, or undefined if there is none. */
async function withoutZeros(
  first: readonly Uint8Array<ArrayBuffer>[],
  pieces: Pieces,
  isFirst: boolean,
): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
  // Also a file without any byte is no gzip, which the decompressor says.
  if (isFirst) return [];
  for (const [index, piece] of first.entries()) {
    const at = piece.findIndex((byte) => byte !== 0);
    if (at >= 0) return [piece.subarray(at), ...first.slice(index + 1)];
  }
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return undefined;
    const at = value.findIndex((byte) => byte !== 0);
    if (at >= 0) return [value.subarray(at)];
  }
}

/** What a decompressor was fed with, of which it may have left the end. */
class Fed {
  readonly #first: readonly Uint8Array<ArrayBuffer>[];
  readonly #more: Pieces;
  /** The newest pieces: a decompressor leaves nothing of older ones, because it has worked on them. */
  #kept: Uint8Array<ArrayBuffer>[] = [];
  #length = 0;

  constructor(first: readonly Uint8Array<ArrayBuffer>[], more: Pieces) {
    this.#first = first;
    this.#more = more;
  }

  /** Ends before all is fed if `decoder` takes no more. */
  async *pieces(decoder: zlib.Gunzip): Pieces {
    for (const piece of this.#first) yield this.#keep(piece);
    while (decoder.bytesWritten === this.#length) {
      const { done, value } = await this.#more.next();
      if (done) return;
      yield this.#keep(value);
    }
  }

  /** What is behind the first `count` bytes. */
  behind(count: number): Uint8Array<ArrayBuffer>[] {
    let at = this.#length - this.#kept.reduce((sum, piece) => sum + piece.length, 0);
    return this.#kept.map((piece) => {
      const rest = piece.subarray(Math.min(Math.max(count - at, 0), piece.length));
      at += piece.length;
      return rest;
    });
  }

  #keep(piece: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#length += piece.length;
    this.#kept = [...this.#kept.slice(-1), piece];
    return piece;
  }
}

async function* unzstd(
  pieces: Pieces,
  path: string,
  { memory, signal }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  if (typeof zlib.createZstdDecompress !== "function") {
    throw SourceError.of(path, "this version of the runtime cannot read zstd");
  }
  let frames = 0;
  try {
    for await (const { windowBytes, contentBytes, bytes } of zstdFrames(pieces)) {
      frames++;
      if (windowBytes > Math.max(memory, USUAL_WINDOW_BYTES)) {
        throw SourceError.of(
          path,
          `a frame needs ${windowBytes} bytes of memory to decompress: raise --memory`,
        );
      }
      if (contentBytes !== undefined && contentBytes <= SMALL_FRAME_BYTES) {
        yield zlib.zstdDecompressSync(await joined(bytes));
      } else {
        const isWide = windowBytes > USUAL_WINDOW_BYTES;
        const params = isWide ? { [zlib.constants.ZSTD_d_windowLogMax]: 31 } : undefined;
        const options = { chunkSize: CHUNK_BYTES, ...params === undefined ? {} : { params } };
        yield* through(zlib.createZstdDecompress(options), bytes);
      }
    }
  } catch (error) {
    if (error instanceof SourceError || error === signal?.reason) throw error;
    const { message } = error as Error;
    const what = error instanceof ZstdFormatError ? message : `is not valid zstd: ${message}`;
    throw SourceError.of(path, what, error);
  }
  if (frames === 0) throw SourceError.of(path, "is empty, and so no zstd");
}

async function joined(pieces: Pieces): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** What `decoder` makes of `pieces`. It is destroyed at the end. */
async function* through(decoder: Transform, pieces: Pieces): AsyncGenerator<Uint8Array> {
  const fed = feed(decoder, pieces);
  try {
    for await (const chunk of decoder) yield chunk as Uint8Array;
  } finally {
    decoder.destroy();
    await fed;
  }
}

async function feed(decoder: Transform, pieces: Pieces): Promise<void> {
  let release = () => {};
  decoder.once("close", () => release());
  try {
    for await (const piece of pieces) {
      if (decoder.destroyed) return;
      // A decompressor that is destroyed may leave the call without an answer.
      await new Promise<void>((resolve) => {
        release = resolve;
        decoder.write(piece, () => resolve());
      });
    }
    if (!decoder.destroyed) decoder.end();
  } catch (error) {
    decoder.destroy(error as Error);
  }
}

function gzipError(path: string, error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const what = code === "Z_BUF_ERROR"
    ? "ends within a gzip member"
    : `is not valid gzip: ${message}`;
  return SourceError.of(path, what, error);
}
