/**
 * The native handle of a reader of JSON Lines and columns, and the layout of its results.
 *
 * @module
 */
import {
  LINES_HEADER,
  LINES_HEADER_BAD,
  LINES_HEADER_CONSUMED,
  LINES_HEADER_IDS,
  LINES_HEADER_LINES,
  LINES_HEADER_MAX_ID,
  LINES_HEADER_UNSURE,
  LINES_NO_ID,
} from "../ffi/symbols.gen.ts";
import { native } from "../ffi/load.ts";
import { NativeHandle } from "../ffi/native_handle.ts";
import { checkOffsets, type LineSettings, settingWords } from "./line_options.ts";
import type { TextColumn } from "./line_types.ts";
import type { NativeTokenizer } from "./native_tokenizer.ts";
import { textBuffer } from "../text_buffer.ts";
import { asWords, isKind, lengthOf } from "../typed_array.ts";

/** Memory that is passed for no bytes. */
const NOTHING = new Uint8Array(new ArrayBuffer(1));

/** The results of a chunk or a column, as views of the words that the library wrote. */
export interface Results {
  readonly consumed: number;
  readonly lines: number;
  readonly bad: number;
  /** How many lines `JSON.parse` has to decide. */
  readonly unsure: number;
  readonly maxId: number;
  /** Empty for columns. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Where the ids of each line end, or its count. */
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly reasons: Uint8Array<ArrayBuffer>;
  /** Empty for counts. */
  readonly ids: Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
}

/** A reader of the library. */
export class NativeReader extends NativeHandle {
  /** Opens a reader with these settings. */
  constructor(tokenizer: NativeTokenizer, settings: LineSettings) {
    const length = textBuffer.write(settings.field);
    const words = settingWords(settings);
    const reader = tokenizer.native.sluice_lines_open(
      tokenizer.handle,
      words,
      words.length,
      textBuffer.bytes,
      length,
    );
    super(tokenizer.unwrap(reader), "This reader", close);
  }

  /** Sets the rows of the next column. */
  setRows(column: TextColumn): void {
    const { offsets, valid = NOTHING } = column;
    const words = asWords(offsets);
    const isLarge = isKind("BigInt64Array", offsets) ? 1 : 0;
    const last = Number(offsets[lengthOf(offsets) - 1]);
    const validLength = valid === NOTHING ? 0 : lengthOf(valid);
    const rows = this.native.sluice_column_set_rows(
      this.handle,
      words,
      words.length,
      isLarge,
      valid,
      validLength,
    );
    // The library reads offsets without a sign.
    if (rows < 0 || last < 0 || last > lengthOf(column.values)) checkOffsets(column);
    this.unwrap(rows);
  }
}

function close(handle: number): number {
  return native().sluice_lines_close(handle);
}

/** Views of the results that begin with these words. */
export function resultsOf(
  words: Uint32Array<ArrayBuffer>,
  { hasStarts, hasIds, isNarrow }: { hasStarts: boolean; hasIds: boolean; isNarrow: boolean },
): Results {
  const lines = words[LINES_HEADER_LINES]!;
  const ids = hasIds ? words[LINES_HEADER_IDS]! : 0;
  const maxId = words[LINES_HEADER_MAX_ID]!;
  const { buffer, byteOffset } = words;
  let at = byteOffset + 4 * LINES_HEADER;
  const take = (elements: number, bytes: number): number => {
    const start = at;
    at += 4 * Math.ceil(elements * bytes / 4);
    return start;
  };
  const starts = hasStarts ? lines : 0;
  return {
    consumed: words[LINES_HEADER_CONSUMED]!,
    lines,
    bad: words[LINES_HEADER_BAD]!,
    unsure: words[LINES_HEADER_UNSURE]!,
    maxId: maxId === LINES_NO_ID ? -1 : maxId,
    starts: new Uint32Array(buffer, take(starts, 4), starts),
    ends: new Uint32Array(buffer, take(lines, 4), lines),
    reasons: new Uint8Array(buffer, take(lines, 1), lines),
    ids: isNarrow ? new Uint16Array(buffer, at, ids) : new Uint32Array(buffer, at, ids),
  };
}
