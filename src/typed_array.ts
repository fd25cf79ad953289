/**
 * Typed arrays by their internal slots: the getters of `%TypedArray%.prototype` and of array buffers, taken
 * once when this module is loaded.
 *
 * The properties of the same names are the caller's to change: a subclass, an own property, another prototype
 * or a Proxy can say anything, and the native side believes the length that it is told. The runtimes hand
 * over what the slots say, so the length must come from there as well.
 *
 * Each getter is called by its `call`, which JavaScriptCore compiles into the caller. It calls bound functions
 * and `Reflect.apply` as any other function, which takes twice as long; V8 makes no difference.
 *
 * @module
 */

/** What crosses, by the name that each kind of typed array has in a slot. */
interface Kinds {
  readonly Uint8Array: Uint8Array;
  readonly Uint32Array: Uint32Array;
  readonly Float64Array: Float64Array;
}

/** Where all typed arrays have their getters from. */
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

const kind = getter(typedArray, Symbol.toStringTag);
const length = getter(typedArray, "length");
const buffer = getter(typedArray, "buffer");
const byteLength = getter(typedArray, "byteLength");
const byteOffset = getter(typedArray, "byteOffset");
const unsharedLength = getter(ArrayBuffer.prototype, "byteLength");
const detached = getter(ArrayBuffer.prototype, "detached");

const Bytes = Uint8Array;

/** Whether `value` is a typed array of that kind, and not only of its prototype. */
export function isKind<K extends keyof Kinds>(name: K, value: unknown): value is Kinds[K] {
  return kind.call(value) === name;
}

/** The number of elements; 0 of a view whose memory is gone. */
export function lengthOf(view: ArrayBufferView): number {
  return length.call(view) as number;
}

/** Whether other threads may write to the memory. */
export function isShared(view: ArrayBufferView): boolean {
  try {
    // Throws for every other kind of object, which leaves only one kind.
    unsharedLength.call(buffer.call(view));
    return false;
  } catch {
    return true;
  }
}

/** Whether the memory, which is not shared, was transferred away. */
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

/** Bytes `start` to `end` of a view, which must have as many. `subarray` is the caller's to change. */
export function part(view: Uint8Array, start: number, end: number): Uint8Array {
  const at = byteOffset.call(view) as number;
  return new Bytes(buffer.call(view) as ArrayBuffer, at + start, end - start);
}

function getter(prototype: object, name: PropertyKey): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!;
}
