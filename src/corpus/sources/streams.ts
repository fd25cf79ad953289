/**
 * Streams of bytes of a file: of a range of it, of all that it decompresses to, or of standard input.
 *
 * @module
 */
import type { ByteSource } from "./byte_source.ts";
import { InflatedSource } from "./inflate.ts";
import { type OpenFile, STDIN } from "./open_file.ts";
import type { FileKind, InputFile, Part, ReadOptions } from "./source.ts";

/** What is read at first beyond the end of the range; doubled with each read. */
const BEYOND_BYTES = 1 << 16;

/** The first read has the whole byte order mark. */
const LEAST_BYTES = 3;

/** How a file is compressed, if it is. */
function compressionOf(kind: FileKind): "gz" | "zst" | undefined {
  return kind.endsWith(".gz") ? "gz" : kind.endsWith(".zst") ? "zst" : undefined;
}

/** Whether the file can only be read as a whole. */
export function isWhole({ path, kind }: InputFile): boolean {
  return path === STDIN || compressionOf(kind) !== undefined;
}

/** The bytes of a part. If it begins within the file, the byte before it is the first. */
export function streamOf(opened: OpenFile, part: Part, options: ReadOptions): ByteSource {
  const compression = compressionOf(opened.file.kind);
  if (compression !== undefined) return new InflatedSource(opened, compression, options);
  return isWhole(opened.file)
    ? new StreamSource(opened, options.onRead)
    : new RangeSource(opened, part, options.onRead);
}

/** The bytes from the one before a part, and on beyond its end. */
class RangeSource implements ByteSource {
  readonly expected: number;
  readonly #opened: OpenFile;
  readonly #part: Part;
  readonly #onRead: ReadOptions["onRead"];
  #position: number;
  #beyond = BEYOND_BYTES;

  constructor(opened: OpenFile, part: Part, onRead?: ReadOptions["onRead"]) {
    this.#opened = opened;
    this.#part = part;
    this.#onRead = onRead;
    this.#position = Math.max(part.from - 1, 0);
    this.expected = Math.min(part.to - this.#position + BEYOND_BYTES, opened.file.size);
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number> {
    const { from, to } = this.#part;
    const at = this.#position;
    const wanted = at < to ? Math.max(to - at, LEAST_BYTES) : this.#beyond;
    const length = Math.min(wanted, into.length, this.#opened.file.size - at);
    if (length === 0) return 0;
    if (at >= to) this.#beyond *= 2;
    const read = await this.#opened.read(into.subarray(0, length), at);
    this.#position = at + read;
    const counted = Math.min(at + read, to) - Math.max(at, from);
    if (counted > 0) this.#onRead?.(counted);
    return read;
  }
}

/** The bytes of standard input, in full pieces. */
class StreamSource implements ByteSource {
  readonly #opened: OpenFile;
  readonly #onRead: ReadOptions["onRead"];

  constructor(opened: OpenFile, onRead?: ReadOptions["onRead"]) {
    this.#opened = opened;
    this.#onRead = onRead;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const read = await this.#opened.read(into.subarray(filled), 0);
      if (read === 0) break;
      filled += read;
      this.#onRead?.(read);
    }
    return filled;
  }
}
