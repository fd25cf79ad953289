/**
 * Splits a stream of zstd into its frames by the headers of the frames and of their blocks (RFC 8878), without
 * decompressing them. Decompressors of the runtimes stop after one frame, or take a cut-off file for a whole one.
 *
 * @module
 */

const MAGIC = 0xfd2fb528;

/** The last four bits of this magic number are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;

const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** The bytes are no zstd, or end within a frame. */
export class ZstdFormatError extends Error {
  override readonly name = "ZstdFormatError";
}

/** A frame. Its bytes must be read before the next frame is asked for. */
export interface ZstdFrame {
  /** How much memory the decompressor needs for what it refers back to. */
  readonly windowBytes: number;
  /** The length of the contents, if the header has it. */
  readonly contentBytes: number | undefined;
  /** The compressed bytes with all headers. */
  readonly bytes: AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** The frames in `pieces`. Skippable ones are skipped. */
export async function* zstdFrames(
  pieces: AsyncIterator<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ZstdFrame> {
  const walk = new Walk(pieces);
  while (!await walk.isAtEnd()) {
    const magic = uint(await walk.take(4));
    if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
      await walk.skip(uint(await walk.take(4)));
      walk.passed();
      continue;
    }
    if (magic !== MAGIC) {
      throw new ZstdFormatError(`there is no zstd frame at byte ${walk.position - 4}`);
    }
    const [descriptor] = await walk.take(1) as Uint8Array & [number];
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const [windowByte = 0] = isSingleSegment ? [] : await walk.take(1);
    await walk.skip([0, 1, 2, 4][descriptor & 3]!);
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    const size = uint(await walk.take(sizeBytes)) + (sizeBytes === 2 ? 256 : 0);
    const base = 2 ** (10 + (windowByte >> 3));
    yield {
      windowBytes: isSingleSegment ? size : base + base / 8 * (windowByte & 7),
      contentBytes: sizeBytes === 0 ? undefined : size,
      bytes: blocks(walk, (descriptor & 4) !== 0),
    };
  }
}

async function* blocks(
  walk: Walk,
  hasChecksum: boolean,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let isLast = false; !isLast;) {
    const header = uint(await walk.take(BLOCK_HEADER_BYTES));
    isLast = (header & 1) === 1;
    const type = header >> 1 & 3;
    if (type === RESERVED_BLOCK) {
      throw new ZstdFormatError(`there is no zstd block at byte ${walk.position - 3}`);
    }
    await walk.skip(type === RLE_BLOCK ? 1 : header >> 3);
    if (isLast && hasChecksum) await walk.skip(CHECKSUM_BYTES);
    yield* isLast ? walk.passed() : walk.passedPieces();
  }
}

/** A position in a stream of pieces, and the bytes that were passed since the last frame. */
class Walk {
  readonly #pieces: AsyncIterator<Uint8Array<ArrayBuffer>>;
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The offset of the piece in the stream. */
  #offset = 0;
  #at = 0;
  /** Where in the piece the bytes begin that were passed and not given out. */
  #start = 0;
  #passed: Uint8Array<ArrayBuffer>[] = [];

  constructor(pieces: AsyncIterator<Uint8Array<ArrayBuffer>>) {
    this.#pieces = pieces;
  }

  get position(): number {
    return this.#offset + this.#at;
  }

  async isAtEnd(): Promise<boolean> {
    return this.#at === this.#piece.length && !await this.#next();
  }

  async take(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let filled = 0; filled < count;) filled += await this.#pass(count - filled, bytes, filled);
    return bytes;
  }

  async skip(count: number): Promise<void> {
    for (let passed = 0; passed < count;) passed += await this.#pass(count - passed);
  }

  /** Gives out the pieces of which all bytes were passed. */
  passedPieces(): Uint8Array<ArrayBuffer>[] {
    const passed = this.#passed;
    this.#passed = [];
    return passed;
  }

  /** Gives out all bytes that were passed. */
  passed(): Uint8Array<ArrayBuffer>[] {
    const passed = this.passedPieces();
    if (this.#at > this.#start) passed.push(this.#piece.subarray(this.#start, this.#at));
    this.#start = this.#at;
    return passed;
  }

  async #pass(most: number, into?: Uint8Array, at = 0): Promise<number> {
    if (await this.isAtEnd()) {
      throw new ZstdFormatError(`ends within a zstd frame at byte ${this.position}`);
    }
    const bytes = this.#piece.subarray(this.#at, this.#at + most);
    into?.set(bytes, at);
    this.#at += bytes.length;
    return bytes.length;
  }

  async #next(): Promise<boolean> {
    const { done, value } = await this.#pieces.next();
    if (done) return false;
    if (this.#at > this.#start) this.#passed.push(this.#piece.subarray(this.#start));
    this.#offset += this.#piece.length;
    this.#piece = value;
    this.#at = 0;
    this.#start = 0;
    return true;
  }
}

/** A little-endian number. */
function uint(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
