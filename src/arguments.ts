/**
 * Checks on what callers pass, before anything crosses: the runtimes' own checks differ and change
 * with the JIT tier.
 *
 * @module
 */
import { show } from "./errors.ts";

/** A text: a string, or bytes that are valid UTF-8. */
export type Text = string | Uint8Array;

/** Refuses what is not a string. */
export function checkString(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw new TypeError(`${name} must be a string, not ${show(value)}`);
  }
}

/** Refuses what is neither a string nor bytes that the native side may read. */
export function checkBytes(name: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a string or a Uint8Array, not ${show(value)}`);
  }
  checkMemory(name, value);
  return value;
}

/** Refuses memory that is gone, or that another thread may change during the call. */
export function checkMemory(name: string, view: ArrayBufferView): void {
  const { buffer } = view;
  // What nearly always is, first; and only what is empty can be detached.
  if (!(buffer instanceof ArrayBuffer) && isShared(buffer)) {
    throw new TypeError(
      `${name} must not be backed by a SharedArrayBuffer: another thread could change it during ` +
        "the call. Copy it first: new Uint8Array(view)",
    );
  }
  if (view.byteLength === 0 && (buffer as ArrayBuffer).detached) {
    throw new TypeError(`${name} is backed by a detached ArrayBuffer: it was transferred away`);
  }
}

function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}

/** Refuses an output that overlaps an input. */
export function checkApart(
  name: string,
  output: ArrayBufferView,
  inputName: string,
  input: ArrayBufferView,
): void {
  if (
    output.buffer === input.buffer &&
    output.byteOffset < input.byteOffset + input.byteLength &&
    input.byteOffset < output.byteOffset + output.byteLength
  ) {
    throw new TypeError(`${name} must not overlap ${inputName} in memory`);
  }
}

/** Refuses what is not an array; its elements are checked as they are used. */
export function checkArray(name: string, value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be an array, not ${show(value)}`);
}

/** A non-negative integer, or `Infinity`. */
export function checkLimit(name: string, value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, not ${show(value)}`);
  }
  if (value !== Infinity && (!Number.isSafeInteger(value) || value < 0)) {
    throw new RangeError(`${name} must be a non-negative integer or Infinity, not ${value}`);
  }
  return value;
}

/** Refuses what the native side may not write ids to. */
export function checkWords(name: string, value: unknown): Uint32Array {
  if (!(value instanceof Uint32Array)) {
    throw new TypeError(`${name} must be a Uint32Array, not ${show(value)}`);
  }
  checkMemory(name, value);
  return value;
}

/** Token ids as the native side takes them. */
export function checkIds(name: string, value: unknown): Uint32Array {
  if (value instanceof Uint32Array) {
    checkMemory(name, value);
    return value;
  }
  if (!Array.isArray(value)) {
    throw new TypeError(`${name} must be a Uint32Array or an array of numbers, not ${show(value)}`);
  }
  const ids = new Uint32Array(value.length);
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
