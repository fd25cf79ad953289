/**
 * The error class of sluice, its codes, and the positions that errors have.
 *
 * An argument of a wrong type throws the built-in `TypeError`, and one with a wrong value the built-in
 * `RangeError`. Both name the argument and the value. Every other error is a {@linkcode SluiceError}.
 *
 * @module
 */
import {
  ERROR_DETAIL_BYTE_OFFSET,
  ERROR_DETAIL_LIMIT_INDEX,
  ERROR_DETAIL_PART_INDEX,
  ERROR_DETAIL_TEXT_INDEX,
  ERROR_DETAIL_TOKEN_ID,
  ERROR_DETAIL_TOKEN_INDEX,
  type StatusCode,
  statusCodes,
} from "./ffi/symbols.gen.ts";

/** Every value of {@linkcode SluiceError.code}. Codes are stable, and messages are not. */
export type SluiceErrorCode =
  | StatusCode
  /**
   * There is no native library at any of the paths where it may be.
   *
   * The message lists the paths and says how to install or build the library. In a checkout, run `make build`.
   */
  | "SLUICE_LIBRARY_NOT_FOUND"
  /**
   * The native library exists, and the system refuses to load it.
   *
   * The message says why, as far as the system does: another library is missing, the C library is older or another
   * one, the file is for another system or CPU, or it is damaged. In a single executable, it may say that there is no
   * folder for a copy of the library.
   */
  | "SLUICE_LIBRARY_NOT_LOADED"
  /**
   * The runtime was started without permission to load the native library.
   *
   * Start Deno, or Node.js with `--permission`, with the `--allow-ffi` that the message spells out.
   */
  | "SLUICE_FFI_DENIED"
  /**
   * The native library and the TypeScript code come from different versions.
   *
   * Install both in the same version. In a checkout, run `make build`.
   */
  | "SLUICE_ABI_MISMATCH"
  /**
   * The runtime is neither Bun, Deno nor Node.js with `node:ffi`, or there is no native library for the operating
   * system and CPU.
   *
   * Run on one of the platforms that the README lists. In Node.js the message says what `node:ffi` lacks.
   */
  | "SLUICE_UNSUPPORTED_PLATFORM"
  /**
   * No model of this name is known.
   *
   * Use a name that the message suggests, or open the tokenizer by the name of an encoding.
   */
  | "SLUICE_UNKNOWN_MODEL"
  /**
   * The vocabulary of this model is not public, so its token ids are not known.
   *
   * Pass `estimate: true` to count with the nearest public encoding.
   */
  | "SLUICE_VOCABULARY_NOT_PUBLIC"
  /**
   * The object was closed or disposed.
   *
   * Make a new one.
   */
  | "SLUICE_DISPOSED"
  /**
   * The limiter is shared with other processes, which this call does not reach.
   *
   * Use the call that the message names.
   */
  | "SLUICE_IS_SHARED"
  /**
   * The store did not answer, so nothing is known to have changed.
   *
   * Try again. The message says what the client reported.
   */
  | "SLUICE_STORE_UNREACHABLE"
  /**
   * The folder has the plan of another corpus: of other files, of files that have changed, or with other options.
   *
   * Use another folder, or start anew with `fresh: true`. The message names what differs.
   */
  | "SLUICE_CORPUS_OTHER_PLAN"
  /**
   * The folder has files and no plan, so something of someone might be overwritten.
   *
   * Use an empty folder.
   */
  | "SLUICE_CORPUS_FOREIGN_FILES"
  /**
   * Another run does the same share of the corpus.
   *
   * Wait for it, or share the work with `shard`. The message says which process it is.
   */
  | "SLUICE_CORPUS_IN_USE"
  /**
   * Not all units of the corpus are committed.
   *
   * Run the missing ones. The message names them.
   */
  | "SLUICE_CORPUS_INCOMPLETE"
  /**
   * The folder has no `plan.json`.
   *
   * Call `planCorpus` first, or correct the path.
   */
  | "SLUICE_CORPUS_NO_PLAN"
  /**
   * A file of the corpus is not what this version of sluice writes.
   *
   * Start anew with `fresh: true`, or use the version that wrote it.
   */
  | "SLUICE_CORPUS_DAMAGED";

/** Where an error occurred. A field that does not apply is missing. */
export interface SluiceErrorDetails {
  /** The index of the text in its batch. */
  readonly textIndex?: number | undefined;
  /**
   * The offset in the text, in bytes of UTF-8: where a special token begins, or the first character that is not
   * valid UTF-8.
   */
  readonly byteOffset?: number | undefined;
  /** The token id. */
  readonly tokenId?: number | undefined;
  /** The index of the token id in its list. */
  readonly tokenIndex?: number | undefined;
  /** The index of the part in a call over several keys. */
  readonly partIndex?: number | undefined;
  /** The index of the limit in its limiter, in the order in which `limits` declares them. */
  readonly limitIndex?: number | undefined;
}

const DETAILS = [
  "textIndex",
  "byteOffset",
  "tokenId",
  "tokenIndex",
  "partIndex",
  "limitIndex",
] as const;

/** Options of a {@linkcode SluiceError}. */
export interface SluiceErrorInit extends ErrorOptions, SluiceErrorDetails {}

/** What sluice throws when something other than the type or the range of an argument is wrong. */
export class SluiceError extends Error implements SluiceErrorDetails {
  /** What went wrong. Stable and meant for `switch`. */
  readonly code: SluiceErrorCode;
  /** The index of the text in its batch. */
  declare readonly textIndex?: number | undefined;
  /** The offset in the text, in bytes of UTF-8. */
  declare readonly byteOffset?: number | undefined;
  /** The token id. */
  declare readonly tokenId?: number | undefined;
  /** The index of the token id in its list. */
  declare readonly tokenIndex?: number | undefined;
  /** The index of the part in a call over several keys. */
  declare readonly partIndex?: number | undefined;
  /** The index of the limit in its limiter. */
  declare readonly limitIndex?: number | undefined;

  /**
   * Makes an error. Programs rarely need to.
   *
   * @param code What went wrong, for programs.
   * @param message What went wrong and what to do, for people.
   * @param options The `cause`, as for every error, and the position.
   */
  constructor(code: SluiceErrorCode, message: string, options: SluiceErrorInit = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "SluiceError";
    this.code = code;
    for (const name of DETAILS) {
      const value = options[name];
      // A field that does not apply is left out, and so is not printed either.
      if (value !== undefined) Object.assign(this, { [name]: value });
    }
  }
}

/** Messages of native errors as the library has them, without positions. */
const sentences = new WeakMap<SluiceError, string>();

/**
 * The error for a negative result of a native call.
 *
 * @param sentence The library's message, which has no positions.
 */
export function statusError(
  status: number,
  sentence: string,
  options: SluiceErrorInit = {},
): SluiceError {
  const codes: Readonly<Record<string, StatusCode>> = statusCodes;
  return positioned(codes[status] ?? "SLUICE_PANIC", sentence, options);
}

/** The details of a native error, of the numbers that the library writes for it. */
export function detailsOf(numbers: ArrayLike<number>): SluiceErrorDetails {
  const at = (index: number): number | undefined => {
    const number = numbers[index]!;
    return Number.isNaN(number) ? undefined : number;
  };
  return {
    textIndex: at(ERROR_DETAIL_TEXT_INDEX),
    byteOffset: at(ERROR_DETAIL_BYTE_OFFSET),
    tokenId: at(ERROR_DETAIL_TOKEN_ID),
    tokenIndex: at(ERROR_DETAIL_TOKEN_INDEX),
    partIndex: at(ERROR_DETAIL_PART_INDEX),
    limitIndex: at(ERROR_DETAIL_LIMIT_INDEX),
  };
}

/** The same error at another position, which its message has, too. */
export function relocated(error: SluiceError, details: SluiceErrorDetails): SluiceError {
  const { code, textIndex, byteOffset, tokenId, tokenIndex, partIndex, limitIndex } = error;
  const old = { textIndex, byteOffset, tokenId, tokenIndex, partIndex, limitIndex };
  const sentence = sentences.get(error) ?? error.message;
  return positioned(code, sentence, { ...old, ...details, cause: error });
}

function positioned(
  code: SluiceErrorCode,
  sentence: string,
  options: SluiceErrorInit,
): SluiceError {
  const { textIndex, byteOffset, tokenIndex } = options;
  const text = textIndex === undefined ? "" : `text ${textIndex}: `;
  const byte = byteOffset === undefined ? "" : ` at byte ${byteOffset}`;
  const token = tokenIndex === undefined ? "" : ` at index ${tokenIndex}`;
  const error = new SluiceError(code, text + sentence + byte + token, options);
  sentences.set(error, sentence);
  return error;
}

/** A value as error messages show it: its type, and as much of it as fits on a line. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? value.slice(0, 39) + "…" : value);
    case "number":
    case "boolean":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      return showObject(value);
    default:
      return `a ${typeof value}`;
  }
}

/** Reading a Proxy or a getter may throw. */
function showObject(value: object): string {
  try {
    return Array.isArray(value) ? "an array" : `an instance of ${constructorName(value)}`;
  } catch {
    return "an object that cannot be read";
  }
}

/** From the prototype, because an own property of that name may hold anything, of any length. */
function constructorName(value: object): string {
  const name = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)
    ?.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "Object";
}
