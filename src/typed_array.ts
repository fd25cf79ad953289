/**
 * Reads the internal slots of typed arrays, by the getters of `%TypedArray%.prototype` and `ArrayBuffer`, which
 * are looked up once when this module is loaded.
 *
 * A caller can change the properties of the same names: a subclass, an own property, another prototype or a
 * Proxy can return anything, and the native side trusts the length that it is given. The runtimes pass the memory
 * of the slots, so the length must come from the slots as well.
 *
 * Each getter is called with `call`, which JavaScriptCore inlines. Bound functions and `Reflect.apply` take twice
 * as long there; in V8 there is no difference.
 *
 * @module
 */

/** The typed arrays that cross, by the name in their slot. */
interface Kinds {
  readonly Uint8Array: Uint8Array;
  readonly Uint32Array: Uint32Array;
  readonly Float64Array: Float64Array;
  readonly Int32Array: Int32Array;
  readonly BigInt64Array: BigInt64Array;
}

/** `%TypedArray%.prototype`. */
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

const kind = getter(typedArray, Symbol.toStringTag);
const length = getter(typedArray, "length");
const buffer = getter(typedArray, "buffer");
const byteLength = getter(typedArray, "byteLength");
const byteOffset = getter(typedArray, "byteOffset");
const unsharedLength = getter(ArrayBuffer.prototype, "byteLength");
const detached = getter(ArrayBuffer.prototype, "detached");

const Bytes = Uint8Array;
const Words = Uint32Array;

/** Whether `value` is a typed array of a kind, and does not only have its prototype. */
export function isKind<K extends keyof Kinds>(name: K, value: unknown): value is Kinds[K] {
  return kind.call(value) === name;
}

/** The number of elements; 0 if the memory is detached. */
export function lengthOf(view: ArrayBufferView): number {
  return length.call(view) as number;
}

/** Whether the memory is a `SharedArrayBuffer`. */
export function isShared(view: ArrayBufferView): boolean {
  try {
    // Throws for every other object, and a view has one of two kinds of buffers.
    unsharedLength.call(buffer.call(view));
    return false;
  } catch {
    return true;
  }
}

/** Whether memory that is not shared is detached. */
export function isDetached(view: ArrayBufferView): boolean {
  return detached.call(buffer.call(view)) as boolean;
}

/** Whether two views have a byte in common. */
export function overlap(one: ArrayBufferView, other: ArrayBufferView): boolean {
  if (buffer.call(one) !== buffer.call(other)) return false;
  const start = byteOffset.call(one) as number;
  const otherStart = byteOffset.call(other) as number;
  return start < otherStart + (byteLength.call(other) as number) &&
    otherStart < start + (byteLength.call(one) as number);
}

/** Bytes `start` to `end` of a view that is long enough. Unlike `subarray`, a caller cannot change it. */
export function part(view: Uint8Array, start: number, end: number): Uint8Array {
  const at = byteOffset.call(view) as number;
  return new Bytes(buffer.call(view) as ArrayBuffer, at + start, end - start);
}

/** The same memory as words of 32 bits. */
export function asWords(view: Int32Array | BigInt64Array): Uint32Array {
  return new Words(
    buffer.call(view) as ArrayBuffer,
    byteOffset.call(view) as number,
    (byteLength.call(view) as number) / 4,
  );
}

function getter(prototype: object, name: PropertyKey): (this: unknown) => unknown {
  // Runtimes without `detached` load no library, and say so at the first use. Importing must work there.
  return Object.getOwnPropertyDescriptor(prototype, name)?.get ?? (() => undefined);
}
