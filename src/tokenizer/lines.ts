/**
 * Chunks of JSON Lines and columns of texts: one crossing each, into a buffer that calls reuse.
 *
 * A chunk is validated, split and searched natively. Lines that the library leaves undecided are read by
 * `JSON.parse`, so that a line means what it means in JavaScript.
 *
 * @module
 */
import {
  JOB_COUNT_LINES,
  JOB_ENCODE_COLUMN,
  JOB_ENCODE_LINES,
  LINES_HEADER,
} from "../ffi/symbols.gen.ts";
import { runReaderJob } from "./job.ts";
import { checkView, type LineSettings, lineSettings, readColumn } from "./line_options.ts";
import type {
  ColumnAsyncOptions,
  CountedColumn,
  CountedLines,
  CountLinesAsyncOptions,
  CountLinesOptions,
  EncodeColumnOptions,
  EncodedColumn,
  EncodedLines,
  EncodeLinesOptions,
  LinesAsyncOptions,
  TextColumn,
} from "./line_types.ts";
import { NativeReader, resultsOf } from "./native_reader.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { lengthOf } from "../typed_array.ts";
import { resolveCounts, resolveIds } from "./unsure_lines.ts";
import { WeakMemory } from "../weak_memory.ts";

/** The greatest number of words that are kept between calls: enough for the ids of 8 MB of text. */
const KEPT_WORDS = 1 << 22;

/** The calls on one native tokenizer. Their options were checked for unknown names. */
export class LineCalls {
  readonly #native: NativeTokenizer;
  /** The reader of the last call, and what it was opened for. */
  #reader: NativeReader | undefined;
  #settings: LineSettings | undefined;
  #words = allocate(1 << 10);
  readonly #larger = new WeakMemory(allocate);

  constructor(native: NativeTokenizer) {
    this.#native = native;
  }

  /** See {@linkcode Tokenizer.encodeLines}. */
  encode(bytes: Uint8Array, mode: number, options: EncodeLinesOptions): EncodedLines {
    const settings = lineSettings(options, mode);
    return this.#encode(bytes, checkView("bytes", bytes), settings);
  }

  /** See {@linkcode Tokenizer.countLines}. */
  count(bytes: Uint8Array, mode: number, options: CountLinesOptions): CountedLines {
    const settings = lineSettings(options, mode);
    return this.#count(bytes, checkView("bytes", bytes), settings);
  }

  /** See {@linkcode Tokenizer.encodeColumn}. */
  encodeColumn(column: TextColumn, mode: number, options: EncodeColumnOptions): EncodedColumn {
    const settings = lineSettings(options, mode);
    const own = readColumn(column);
    const reader = this.#open(settings);
    reader.setRows(own);
    const length = lengthOf(own.values);
    const words = this.#collect(guess(length), (words) =>
      reader.native.sluice_column_encode(
        reader.handle,
        own.values,
        length,
        words,
        words.length,
      ));
    return columnOf(words, settings);
  }

  /** See {@linkcode Tokenizer.countColumn}. */
  countColumn(column: TextColumn, mode: number): CountedColumn {
    const own = readColumn(column);
    const reader = this.#open(lineSettings({}, mode));
    reader.setRows(own);
    const words = this.#collect(LINES_HEADER, (words) =>
      reader.native.sluice_column_count(
        reader.handle,
        own.values,
        lengthOf(own.values),
        words,
        words.length,
      ));
    const { ends, reasons, bad } = resultsOf(words, {
      hasStarts: false,
      hasIds: false,
      isNarrow: false,
    });
    return { counts: ends, reasons, bad };
  }

  /** See {@linkcode Tokenizer.encodeLinesAsync}. */
  async encodeAsync(
    bytes: Uint8Array,
    mode: number,
    options: LinesAsyncOptions,
  ): Promise<EncodedLines> {
    const settings = lineSettings(options, mode);
    const words = await this.#runJob(JOB_ENCODE_LINES, bytes, settings);
    return this.#linesOf(bytes, words, settings);
  }

  /** See {@linkcode Tokenizer.countLinesAsync}. */
  async countAsync(
    bytes: Uint8Array,
    mode: number,
    options: CountLinesAsyncOptions,
  ): Promise<CountedLines> {
    const settings = lineSettings(options, mode);
    const words = await this.#runJob(JOB_COUNT_LINES, bytes, settings);
    return this.#countsOf(bytes, words, settings);
  }

  /** See {@linkcode Tokenizer.encodeColumnAsync}. */
  async encodeColumnAsync(
    column: TextColumn,
    mode: number,
    options: ColumnAsyncOptions,
  ): Promise<EncodedColumn> {
    const settings = lineSettings(options, mode);
    const own = readColumn(column);
    const words = await runReaderJob({
      open: () => {
        const reader = this.#open(settings);
        reader.setRows(own);
        return reader;
      },
      kind: JOB_ENCODE_COLUMN,
      isLast: true,
      bytes: { name: "column.values", view: own.values },
      signal: settings.signal,
    });
    return columnOf(words, settings);
  }

  /** Closes the reader. */
  close(): void {
    this.#reader?.close();
    this.#reader = undefined;
  }

  #encode(bytes: Uint8Array, length: number, settings: LineSettings): EncodedLines {
    const reader = this.#open(settings);
    const isLast = settings.isLast ? 1 : 0;
    const words = this.#collect(guess(length), (words) =>
      reader.native.sluice_lines_encode(
        reader.handle,
        bytes,
        length,
        isLast,
        words,
        words.length,
      ));
    return this.#linesOf(bytes, words, settings);
  }

  #count(bytes: Uint8Array, length: number, settings: LineSettings): CountedLines {
    const reader = this.#open(settings);
    const isLast = settings.isLast ? 1 : 0;
    // With too little room, it says how much is needed before it counts.
    const words = this.#collect(LINES_HEADER, (words) =>
      reader.native.sluice_lines_count(
        reader.handle,
        bytes,
        length,
        isLast,
        words,
        words.length,
      ));
    return this.#countsOf(bytes, words, settings);
  }

  #linesOf(
    bytes: Uint8Array,
    words: Uint32Array<ArrayBuffer>,
    settings: LineSettings,
  ): EncodedLines {
    const { isNarrow } = settings;
    const results = resolveIds(
      bytes,
      resultsOf(words, { hasStarts: true, hasIds: true, isNarrow }),
      this.#native,
      settings,
    );
    const { consumed, lines, ids, ends, reasons, starts, bad, maxId } = results;
    return { consumed, lines, ids, ends, reasons, starts, bad, maxId };
  }

  #countsOf(
    bytes: Uint8Array,
    words: Uint32Array<ArrayBuffer>,
    settings: LineSettings,
  ): CountedLines {
    const results = resolveCounts(
      bytes,
      resultsOf(words, { hasStarts: true, hasIds: false, isNarrow: false }),
      this.#native,
      settings,
    );
    const { consumed, lines, ends: counts, reasons, starts, bad } = results;
    return { consumed, lines, counts, reasons, starts, bad };
  }

  #runJob(
    kind: number,
    bytes: Uint8Array,
    settings: LineSettings,
  ): Promise<Uint32Array<ArrayBuffer>> {
    checkView("bytes", bytes);
    return runReaderJob({
      open: () => this.#open(settings),
      kind,
      isLast: settings.isLast,
      bytes: { name: "bytes", view: bytes },
      signal: settings.signal,
    });
  }

  /** The reader with these settings: mostly the one of the last call. */
  #open(settings: LineSettings): NativeReader {
    this.#native.checkOpen();
    const last = this.#settings;
    if (
      this.#reader !== undefined && last !== undefined && last.mode === settings.mode &&
      last.field === settings.field && last.isNarrow === settings.isNarrow &&
      last.end === settings.end && last.eos === settings.eos
    ) {
      return this.#reader;
    }
    const reader = new NativeReader(this.#native, settings);
    this.close();
    this.#reader = reader;
    this.#settings = { ...settings, signal: undefined };
    return reader;
  }

  /** Calls `write` with room for its words, the first time for `expected` ones. */
  #collect(
    expected: number,
    write: (words: Uint32Array<ArrayBuffer>) => number,
  ): Uint32Array<ArrayBuffer> {
    for (let needed = expected;;) {
      const words = this.#room(needed);
      needed = this.#native.unwrap(write(words));
      if (needed <= words.length) return words;
    }
  }

  #room(length: number): Uint32Array<ArrayBuffer> {
    if (length <= this.#words.length) return this.#words;
    if (length > KEPT_WORDS) return this.#larger.atLeast(length);
    this.#words = allocate(Math.min(KEPT_WORDS, Math.ceil(1.5 * length)));
    return this.#words;
  }
}

/** The most words that are asked for before it is known that they are needed: the runtimes have arrays of 4 GiB. */
const MOST_GUESSED = 1 << 29;

/** How many words are enough for nearly every text of this many bytes. */
function guess(bytes: number): number {
  return LINES_HEADER + 64 + Math.min(bytes >>> 1, MOST_GUESSED);
}

function columnOf(words: Uint32Array<ArrayBuffer>, { isNarrow }: LineSettings): EncodedColumn {
  const results = resultsOf(words, { hasStarts: false, hasIds: true, isNarrow });
  const { ids, ends, reasons, bad, maxId } = results;
  return { ids, ends, reasons, bad, maxId };
}

function allocate(words: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(new ArrayBuffer(4 * words));
}
