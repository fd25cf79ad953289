/**
 * Checks of arguments. They run before anything crosses, because the checks of the runtimes differ and depend on
 * the JIT tier.
 *
 * @module
 */
import { show } from "./errors.ts";
import { MAX_PERIOD_MS, MIN_PERIOD_MS } from "./ffi/symbols.gen.ts";
import { isDetached, isKind, isShared, lengthOf, overlap } from "./typed_array.ts";

/** A text: a string, or bytes that are valid UTF-8. */
export type TextInput = string | Uint8Array;

/** Refuses what is not a string. */
export function checkString(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw new TypeError(`${name} must be a string, not ${show(value)}`);
  }
}

/** Refuses what is not a `Uint8Array` that the native side may read. Returns its length. */
export function checkBytes(name: string, value: unknown): number {
  if (!isKind("Uint8Array", value)) {
    throw new TypeError(`${name} must be a string or a Uint8Array, not ${show(value)}`);
  }
  return checkMemory(name, value);
}

/** Refuses what is not a `Uint32Array` that the native side may write to. Returns its length. */
export function checkWords(name: string, value: unknown): number {
  if (!isKind("Uint32Array", value)) {
    throw new TypeError(`${name} must be a Uint32Array, not ${show(value)}`);
  }
  return checkMemory(name, value);
}

/** Refuses what is not a `Float64Array` that the native side may use. Returns its length. */
export function checkFloats(name: string, value: unknown): number {
  if (!isKind("Float64Array", value)) {
    throw new TypeError(`${name} must be a Float64Array, not ${show(value)}`);
  }
  return checkMemory(name, value);
}

/** A length crosses as 32 bits. What is longer would be read as if it were shorter. */
const MOST_CROSSING = 2 ** 32 - 1;

/**
 * Refuses detached memory, memory that another thread may change during the call, and more elements than can cross.
 * Returns the number of elements, which is valid until code of the caller runs: a getter, or the next turn of the
 * event loop.
 */
export function checkMemory(name: string, view: ArrayBufferView): number {
  if (isShared(view)) {
    throw new TypeError(
      `${name} must not be backed by a SharedArrayBuffer: another thread could change it during ` +
        "the call. Copy it first: new Uint8Array(view)",
    );
  }
  const length = lengthOf(view);
  // A detached view has length 0.
  if (length === 0 && isDetached(view)) {
    throw new TypeError(`${name} is backed by a detached ArrayBuffer: it was transferred away`);
  }
  if (length > MOST_CROSSING) {
    throw new RangeError(`${name} must have at most ${MOST_CROSSING} elements, not ${length}`);
  }
  return length;
}

/** Refuses an output that overlaps an input. */
export function checkApart(
  name: string,
  output: ArrayBufferView,
  inputName: string,
  input: ArrayBufferView,
): void {
  if (overlap(output, input)) {
    throw new TypeError(`${name} must not overlap ${inputName} in memory`);
  }
}

/** Refuses what is not an array. Its elements are checked when they are read. */
export function checkArray(name: string, value: unknown): asserts value is readonly unknown[] {
  if (!isArray(value)) throw new TypeError(`${name} must be an array, not ${show(value)}`);
}

/** As `Array.isArray`, but without an error for a revoked Proxy. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** The most elements of an array, so that a wrong length cannot exhaust the memory. */
const MOST_ELEMENTS = 1 << 26;

/**
 * The number of elements of an array. An array may be a Proxy or have getters, and change with every access. So
 * read its length once, and each element once.
 */
export function checkLength(name: string, value: unknown, most: number = MOST_ELEMENTS): number {
  checkArray(name, value);
  const length: unknown = value.length;
  if (!(typeof length === "number" && Number.isInteger(length) && length >= 0 && length <= most)) {
    throw new RangeError(
      `${name}.length must be an integer from 0 to ${most}, not ${show(length)}`,
    );
  }
  return length;
}

/**
 * A copy of an array, each of whose elements was read once.
 *
 * @param check Throws for a wrong element.
 */
export function readArray<T>(
  name: string,
  value: unknown,
  check: (element: unknown, index: number) => T,
): T[] {
  const length = checkLength(name, value);
  // Preallocated, because growing it takes several times as long.
  const elements = new Array<T>(length);
  for (let i = 0; i < length; i++) elements[i] = check((value as readonly unknown[])[i], i);
  return elements;
}

/** A copy of an array of texts. The memory of bytes is checked when they are used. */
export function readTexts(name: string, value: unknown): TextInput[] {
  return readArray(
    name,
    value,
    (text, i) => typeof text === "string" ? text : checkView(name, i, text),
  );
}

/** Refuses an element that is not a `Uint8Array`. */
export function checkView(name: string, index: number, value: unknown): Uint8Array {
  if (isKind("Uint8Array", value)) return value;
  throw new TypeError(`${name}[${index}] must be a string or a Uint8Array, not ${show(value)}`);
}

/** Refuses what is not a number, or not one from `least` to `most`. */
export function checkNumber(
  name: string,
  value: unknown,
  least: number = -Infinity,
  most: number = Infinity,
): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${name} must be a number from ${least} to ${most}, not ${value}`);
  }
  return value;
}

/** Refuses what is not an integer from `least` to `most`. */
export function checkInteger(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
  }
  return value;
}

/** Refuses what is not a number above 0; `Infinity` is one. */
export function checkPositive(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value > 0)) throw new RangeError(`${name} must be above 0, not ${value}`);
  return value;
}

/** Refuses what is not a number of milliseconds above 0 and of at most 366 days. */
export function checkPeriodMs(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (!(value >= MIN_PERIOD_MS && value <= MAX_PERIOD_MS)) {
    throw new RangeError(`${name} must be above 0 and at most 366 days, not ${value} ms`);
  }
  return value;
}

/** Refuses what is neither a non-negative integer nor `Infinity`. */
export function checkTokenLimit(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (value !== Infinity && (!Number.isSafeInteger(value) || value < 0)) {
    throw new RangeError(`${name} must be a non-negative integer or Infinity, not ${value}`);
  }
  return value;
}

/** Refuses what is not a boolean. */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${name} must be a boolean, not ${show(value)}`);
}

/** Refuses what is not one of the words. */
export function checkWord<Word extends string>(
  name: string,
  value: unknown,
  words: readonly Word[],
): Word {
  const word = words.find((word) => word === value);
  if (word !== undefined) return word;
  const known = words.map((word) => show(word)).join(", ");
  const message = `${name} must be one of ${known}, not ${show(value)}`;
  throw typeof value === "string" ? new RangeError(message) : new TypeError(message);
}

/** Refuses what is not a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(`${name} must be a function, not ${show(value)}`);
}

/** Refuses what is not an object. */
export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value === "object" && value !== null) return;
  throw new TypeError(`${name} must be an object, not ${show(value)}`);
}

/** Refuses what is neither an `AbortSignal` nor undefined. */
export function checkSignal(name: string, value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new TypeError(`${name} must be an AbortSignal, not ${show(value)}`);
}

/** Token ids of an array, as they cross. */
export function readIds(name: string, value: unknown): Uint32Array {
  if (!isArray(value)) {
    throw new TypeError(`${name} must be a Uint32Array or an array of numbers, not ${show(value)}`);
  }
  const ids = new Uint32Array(checkLength(name, value));
  for (let i = 0; i < ids.length; i++) {
    const id: unknown = value[i];
    if (typeof id !== "number") {
      throw new TypeError(`${name}[${i}] must be a number, not ${show(id)}`);
    }
    if (id >>> 0 !== id) {
      throw new RangeError(`${name}[${i}] must be an integer from 0 to 4294967295, not ${id}`);
    }
    ids[i] = id;
  }
  return ids;
}
