/**
 * The one error class of sluice and its codes.
 *
 * A wrong argument (type, range) throws the built-in `TypeError` or `RangeError` and names the
 * argument and the value. Everything a program may want to catch is a {@linkcode SluiceError}.
 *
 * @module
 */
import { type StatusCode, statusCodes } from "./ffi/symbols.gen.ts";

/** Every value of {@linkcode SluiceError.code}. Codes are stable; messages are not. */
export type SluiceErrorCode =
  | StatusCode
  /** No native library where one may be; the message says where it looked and how to build it. */
  | "SLUICE_LIBRARY_NOT_FOUND"
  /** The library was found and the system refused to load it. */
  | "SLUICE_LIBRARY_NOT_LOADED"
  /** Deno was started without `--allow-ffi` for the library. */
  | "SLUICE_FFI_DENIED"
  /** Library and TypeScript come from different versions. */
  | "SLUICE_ABI_MISMATCH"
  /** Neither Bun nor Deno, or an operating system or CPU that there is no library for. */
  | "SLUICE_UNSUPPORTED_PLATFORM"
  /** No model of that name is known. */
  | "SLUICE_UNKNOWN_MODEL"
  /** Only its maker knows the ids of that model's tokens. */
  | "SLUICE_VOCABULARY_NOT_PUBLIC"
  /** The object was closed or disposed. */
  | "SLUICE_DISPOSED";

/** What sluice throws when something other than an argument's type or range is wrong. */
export class SluiceError extends Error {
  /** Stable and meant for `switch`. */
  readonly code: SluiceErrorCode;

  /**
   * Makes an error; sluice does, and programs rarely need to.
   *
   * @param code What went wrong, for programs.
   * @param message What went wrong and what to do, for people.
   * @param options `cause`, as for every error.
   */
  constructor(code: SluiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SluiceError";
    this.code = code;
  }
}

/** The error for a negative result of a native call. */
export function statusError(status: number, message: string): SluiceError {
  const codes: Readonly<Record<string, StatusCode>> = statusCodes;
  return new SluiceError(codes[status] ?? "SLUICE_PANIC", message);
}

/** An error that names a text of a batch by its index, with another name for it. */
export function renumbered(error: unknown, name: (index: number) => string): unknown {
  if (!(error instanceof SluiceError)) return error;
  const message = error.message.replace(
    /^text (\d+): /,
    (_, index: string) => name(Number(index)),
  );
  return new SluiceError(error.code, message, { cause: error });
}

/** A value as an error message shows it: its type, and as much of it as fits on a line. */
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

/** Whatever it is: a Proxy or a getter may throw when it is looked at. */
function showObject(value: object): string {
  try {
    return Array.isArray(value) ? "an array" : `an instance of ${constructorName(value)}`;
  } catch {
    return "an object that cannot be looked at";
  }
}

/** By the prototype: a property of that name may be anybody's, of any length. */
function constructorName(value: object): string {
  const name = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)
    ?.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "Object";
}
