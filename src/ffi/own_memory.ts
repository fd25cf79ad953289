/**
 * The buffers that only sluice's own code has, with their addresses where a runtime has to look them up.
 *
 * Such memory is never transferred or resized, so its address stays the same for its life.
 *
 * @module
 */
import type { NativeBuffer } from "./native.ts";

/** The address of each buffer, or 0 before its first call. */
const addresses = new WeakMap<NativeBuffer, number>();

/**
 * Marks a buffer that is passed to the library many times and stays inside of sluice. Calls with it are faster in
 * Node.js, where the lookup of an address takes longer than the call.
 *
 * @returns The buffer.
 */
export function own<T extends NativeBuffer>(buffer: T): T {
  addresses.set(buffer, 0);
  return buffer;
}

/** The address of a buffer, by `find` unless it is known. */
export function addressOf(buffer: NativeBuffer, find: (buffer: NativeBuffer) => number): number {
  const known = addresses.get(buffer);
  if (known !== undefined && known !== 0) return known;
  const address = find(buffer);
  if (known === 0) addresses.set(buffer, address);
  return address;
}
