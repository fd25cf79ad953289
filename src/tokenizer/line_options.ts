/**
 * Checks of what is given to the calls on JSON Lines and columns.
 *
 * @module
 */
import {
  checkBoolean,
  checkBytes,
  checkInteger,
  checkMemory,
  checkSignal,
  checkString,
  checkWord,
} from "../arguments.ts";
import { show } from "../errors.ts";
import {
  END_AFTER,
  END_BEFORE,
  END_NONE,
  LINES_NO_ID,
  LINES_SETTING_BITS,
  LINES_SETTING_END,
  LINES_SETTING_END_TOKEN,
  LINES_SETTING_SPECIAL,
  LINES_SETTINGS,
} from "../ffi/symbols.gen.ts";
import { checkKnown, type Known } from "../known_options.ts";
import type {
  ColumnAsyncOptions,
  CountLinesAsyncOptions,
  CountLinesOptions,
  EncodeColumnOptions,
  EncodeLinesOptions,
  EosOptions,
  LinesAsyncOptions,
  TextColumn,
} from "./line_types.ts";
import { isKind, lengthOf } from "../typed_array.ts";

export const COUNT_LINES_OPTIONS: Known<CountLinesOptions> = {
  special: true,
  field: true,
  isLast: true,
};
export const ENCODE_COLUMN_OPTIONS: Known<EncodeColumnOptions> = {
  special: true,
  dtype: true,
  eos: true,
};
export const ENCODE_LINES_OPTIONS: Known<EncodeLinesOptions> = {
  ...COUNT_LINES_OPTIONS,
  ...ENCODE_COLUMN_OPTIONS,
};
export const LINES_ASYNC_OPTIONS: Known<LinesAsyncOptions> = {
  ...ENCODE_LINES_OPTIONS,
  signal: true,
};
export const COLUMN_ASYNC_OPTIONS: Known<ColumnAsyncOptions> = {
  ...ENCODE_COLUMN_OPTIONS,
  signal: true,
};
export const COUNT_LINES_ASYNC_OPTIONS: Known<CountLinesAsyncOptions> = {
  ...COUNT_LINES_OPTIONS,
  signal: true,
};

const EOS_OPTIONS: Known<EosOptions> = { id: true, at: true };
const COLUMN: Known<TextColumn> = { offsets: true, values: true, valid: true };

/** All options of a call, each of which was read once. */
export interface LineSettings {
  /** A `SPECIAL_*` constant. */
  readonly mode: number;
  readonly field: string;
  readonly isLast: boolean;
  readonly isNarrow: boolean;
  /** An `END_*` constant. */
  readonly end: number;
  readonly eos: number;
  readonly signal: AbortSignal | undefined;
}

/** Checks the options. @param mode The `SPECIAL_*` constant that they ask for. */
export function lineSettings(
  { field = "text", isLast = true, dtype = "u32", eos, signal }: LinesAsyncOptions,
  mode: number,
): LineSettings {
  checkString("field", field);
  if (!field.isWellFormed()) {
    throw new RangeError(`field must have no lone surrogates, not ${show(field)}`);
  }
  const isNarrow = checkWord("dtype", dtype, ["u16", "u32"]) === "u16";
  return {
    mode,
    field,
    isLast: checkBoolean("isLast", isLast),
    isNarrow,
    ...endToken(eos, isNarrow ? 0xffff : LINES_NO_ID - 1),
    signal: checkSignal("signal", signal),
  };
}

function endToken(eos: EosOptions | undefined, most: number): { end: number; eos: number } {
  if (eos === undefined) return { end: END_NONE, eos: 0 };
  checkKnown<EosOptions>("eos", eos, EOS_OPTIONS);
  const { id, at = "append" } = eos;
  const isAfter = checkWord("eos.at", at, ["append", "prepend"]) === "append";
  return { end: isAfter ? END_AFTER : END_BEFORE, eos: checkInteger("eos.id", id, 0, most) };
}

/** The settings as they cross. */
export function settingWords({ mode, isNarrow, end, eos }: LineSettings): Uint32Array {
  const words = new Uint32Array(new ArrayBuffer(4 * LINES_SETTINGS));
  words[LINES_SETTING_SPECIAL] = mode;
  words[LINES_SETTING_BITS] = isNarrow ? 16 : 32;
  words[LINES_SETTING_END] = end;
  words[LINES_SETTING_END_TOKEN] = eos;
  return words;
}

/** The column, each property of which was read once. Whether its offsets ascend is checked natively. */
export function readColumn(column: TextColumn): TextColumn {
  checkKnown<TextColumn>("column", column, COLUMN);
  const { offsets, values, valid } = column;
  if (!isKind("Int32Array", offsets) && !isKind("BigInt64Array", offsets)) {
    throw new TypeError(
      `column.offsets must be an Int32Array or a BigInt64Array, not ${show(offsets)}`,
    );
  }
  if (checkMemory("column.offsets", offsets) === 0) {
    throw new RangeError("column.offsets must have one element more than there are texts, not 0");
  }
  checkView("column.values", values);
  const rows = lengthOf(offsets) - 1;
  if (valid !== undefined && checkView("column.valid", valid) !== rows) {
    throw new RangeError(
      `column.valid must have an element for each of ${rows} rows, not ${lengthOf(valid)}`,
    );
  }
  return { offsets, values, valid };
}

/** Refuses what is not a `Uint8Array` that the native side may read. Returns its length. */
export function checkView(name: string, value: unknown): number {
  if (!isKind("Uint8Array", value)) {
    throw new TypeError(`${name} must be a Uint8Array, not ${show(value)}`);
  }
  return checkBytes(name, value);
}

/** Finds the offset that the library refuses. */
export function checkOffsets({ offsets, values }: TextColumn): void {
  const most = lengthOf(values);
  let before = 0;
  for (let i = 0; i < lengthOf(offsets); i++) {
    const offset = Number(offsets[i]!);
    if (offset < before || offset > most) {
      throw new RangeError(
        `column.offsets[${i}] must be an offset from ${before} to ${most}, not ${offset}`,
      );
    }
    before = offset;
  }
}
