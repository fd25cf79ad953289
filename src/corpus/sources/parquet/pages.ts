/**
 * Reads a column of a row group page by page, so that no more than a page is in memory.
 *
 * @module
 */
import zlib from "node:zlib";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import type { OpenFile } from "../open_file.ts";
import { SourceError } from "../source.ts";
import type { Chunk } from "./footer.ts";

type PageHeader = Parameters<typeof readPage>[1];
type ColumnDecoder = Parameters<typeof readPage>[2];
type Dictionary = Parameters<typeof readPage>[3];
type Compressors = NonNullable<ColumnDecoder["compressors"]>;

/** What is read of a column at once: about a page. */
const WINDOW_BYTES = 1 << 20;

/** The longest header of a page: statistics can have long texts in them. */
const MAX_HEADER_BYTES = 1 << 24;

/** A value of a page: bytes, a number, or null. */
export type Value = Uint8Array | number | bigint | null | undefined;

/** A buffer that the columns of one row group after the other are read into, so that it is not made again. */
export interface Window {
  bytes: Uint8Array<ArrayBuffer>;
}

/** How the pages of a column are read. */
export interface PageOptions {
  /** Is used by one column at a time. */
  readonly window: Window;
  /** The number of the row group, for messages. */
  readonly group: number;
  /** The most bytes of a page. */
  readonly limit: number;
  readonly onRead?: ((bytes: number) => void) | undefined;
}

/** The decompressors of the runtime where there are some, because they are faster. */
const NATIVE: Compressors = {
  ZSTD: (input) => zlib.zstdDecompressSync(input),
  GZIP: (input) => zlib.gunzipSync(input),
  BROTLI: (input) => zlib.brotliDecompressSync(input),
};

/** The pages of a column of a row group. */
export class Pages {
  readonly #opened: OpenFile;
  readonly #chunk: Chunk;
  readonly #options: PageOptions;
  readonly #decoder: ColumnDecoder;
  #dictionary: Dictionary;
  /** Bytes of the file from `#start` to `#end` were read and not used yet. `#position` is behind them. */
  readonly #window: Window;
  #start = 0;
  #end = 0;
  #position: number;

  private constructor(
    opened: OpenFile,
    chunk: Chunk,
    options: PageOptions,
    compressors: Compressors,
  ) {
    this.#opened = opened;
    this.#chunk = chunk;
    this.#options = options;
    this.#position = chunk.from;
    this.#window = options.window;
    const { column: { path, schemaPath, element }, meta: { type, codec } } = chunk;
    // Texts stay bytes.
    const parsers = {
      ...DEFAULT_PARSERS,
      stringFromBytes: (bytes: Uint8Array) => bytes,
      jsonFromBytes: (bytes: Uint8Array) => bytes,
    } as unknown as ColumnDecoder["parsers"];
    this.#decoder = {
      pathInSchema: [...path],
      type,
      element,
      schemaPath,
      codec,
      compressors,
      parsers,
      utf8: false,
    };
  }

  static async open(opened: OpenFile, chunk: Chunk, options: PageOptions): Promise<Pages> {
    const { codec } = chunk.meta;
    if (codec === "UNCOMPRESSED" || NATIVE[codec] !== undefined) {
      return new Pages(opened, chunk, options, NATIVE);
    }
    // It is WebAssembly in part, so it is loaded only for those who need it.
    const { compressors } = await import("hyparquet-compressors");
    return new Pages(opened, chunk, options, compressors);
  }

  /**
   * The values of the next page, one for each row, or undefined after the last. They are valid until the next call.
   *
   * @throws {SourceError} If the page is damaged or too large.
   */
  async next(): Promise<Value[] | undefined> {
    for (;;) {
      const header = await this.#header();
      if (header === undefined) return undefined;
      const page = await this.#take(header.compressed_page_size);
      // A dictionary is used with all pages that follow.
      const kept = header.type === "DICTIONARY_PAGE" ? page.slice() : page;
      const values = this.#decode(header, kept);
      if (values !== undefined) return values;
    }
  }

  #decode(header: PageHeader, page: Uint8Array<ArrayBuffer>): Value[] | undefined {
    const { type, crc, data_page_header: v1, data_page_header_v2: v2 } = header;
    if (type === "INDEX_PAGE") return undefined;
    if (crc !== undefined && zlib.crc32(page) !== crc >>> 0) {
      throw this.#error("has a wrong checksum");
    }
    // A page without rows has nothing to decompress.
    const rows = v2?.num_rows ?? v1?.num_values;
    if (rows === 0) return undefined;
    const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
    try {
      const { data = [] } = readPage(reader, header, this.#decoder, this.#dictionary, undefined, 0);
      if (type === "DICTIONARY_PAGE") {
        this.#dictionary = data;
        return undefined;
      }
      if (data.length !== rows) throw this.#error(`has ${data.length} of ${rows} values`);
      const isNested = this.#chunk.column.path.length > 1;
      return isNested ? Array.from(data, unwrapped) : data as Value[];
    } catch (error) {
      if (error instanceof SourceError) throw error;
      throw this.#error(`is damaged: ${(error as Error).message}`, error);
    }
  }

  /** The header of the next page. Its length is only known when it was read. */
  async #header(): Promise<PageHeader | undefined> {
    for (let length = 1 << 12;; length *= 4) {
      const unread = await this.#fill(length);
      if (unread === 0) return undefined;
      const view = new DataView(this.#window.bytes.buffer, this.#start, unread);
      const reader = { view, offset: 0 };
      try {
        const header = parquetHeader(reader);
        this.#start += reader.offset;
        this.#check(header);
        return header;
      } catch (error) {
        if (error instanceof SourceError) throw error;
        if (unread < length || length > MAX_HEADER_BYTES) {
          throw this.#error(`has a damaged header: ${(error as Error).message}`, error);
        }
      }
    }
  }

  #check({ type, uncompressed_page_size: size, compressed_page_size: compressed }: PageHeader) {
    if (type === undefined || !(size >= 0 && compressed >= 0)) {
      throw this.#error("has a damaged header");
    }
    const most = Math.max(size, compressed);
    if (most > this.#options.limit) {
      throw this.#error(`needs ${most} bytes, and a third of --memory is ${this.#options.limit}`);
    }
  }

  /** The next bytes. They are valid until more are asked for. */
  async #take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (await this.#fill(length) < length) throw this.#error("ends before its end");
    this.#start += length;
    return this.#window.bytes.subarray(this.#start - length, this.#start);
  }

  /** Reads until there are `length` bytes in the window, or all that are left, and returns how many are there. */
  async #fill(length: number): Promise<number> {
    const unread = this.#end - this.#start;
    const left = this.#chunk.to - this.#position;
    if (unread >= length || left === 0) return unread;
    const more = Math.min(Math.max(length, WINDOW_BYTES) - unread, left);
    if (unread + more > this.#window.bytes.length) {
      const wider = new Uint8Array(unread + more);
      wider.set(this.#window.bytes.subarray(this.#start, this.#end));
      this.#window.bytes = wider;
    } else {
      this.#window.bytes.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = unread + more;
    await this.#opened.readFully(this.#window.bytes.subarray(unread, this.#end), this.#position);
    this.#position += more;
    this.#options.onRead?.(more);
    return this.#end;
  }

  #error(message: string, cause?: unknown): SourceError {
    const { path } = this.#opened.file;
    const { column: { name } } = this.#chunk;
    const { group } = this.#options;
    return SourceError.of(path, `a page of column ${name} in row group ${group} ${message}`, cause);
  }
}

/** Columns in other columns are read as arrays of one value, and of none if an outer one is null. */
function unwrapped(value: unknown): Value {
  while (Array.isArray(value)) value = value[0];
  return value as Value;
}
