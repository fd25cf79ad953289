/**
 * A table of the limiters that an isolate has open, by name, with a reference count for their objects.
 *
 * A program may make an object for every request and never close it. It must neither run out of handles nor
 * lose what its keys have used. So when the last object of a limiter is collected without having been closed,
 * the limiter is left as by a Worker that ends: it stays until all its keys are idle. A limiter without a
 * name cannot be opened again, so it is closed.
 *
 * @module
 */
import { native, unwrap } from "../ffi/load.ts";
import type { LimiterConfig } from "./config.ts";
import { KeyCache } from "./key.ts";
import { textBuffer } from "../text_buffer.ts";

/** One limiter, shared by all its objects of this isolate. */
export class OpenLimiter {
  /** The number of its objects that are neither closed nor collected. */
  users = 1;
  readonly keys: KeyCache = new KeyCache();

  constructor(
    readonly handle: number,
    readonly name: string,
    readonly isPrivate: boolean,
    /** All options as one string: equal strings are equal options. */
    readonly options: string,
  ) {}
}

const limiters = new Map<string, OpenLimiter>();

/**
 * Opens a limiter for one more object.
 *
 * @param clock The clock as a number of the native side.
 */
export function openLimiter(
  name: string,
  isPrivate: boolean,
  { text, numbers }: LimiterConfig,
  clock: number,
): OpenLimiter {
  // All lone surrogates are the same in UTF-8.
  const key = name.toWellFormed();
  const options = `${clock} ${numbers.join()} ${text.toWellFormed()}`;
  const known = limiters.get(key);
  if (known?.options === options) {
    known.users++;
    return known;
  }
  const length = textBuffer.write(text);
  const handle = unwrap(
    native().sluice_limiter_open(textBuffer.bytes, length, numbers, numbers.length, clock),
  );
  const limiter = new OpenLimiter(handle, name, isPrivate, options);
  limiters.set(key, limiter);
  return limiter;
}

/** Closes a limiter for one object. The last one closes the handle. Returns the native result, or 0. */
export function closeLimiter(limiter: OpenLimiter): number {
  return isLast(limiter) ? native().sluice_limiter_close(limiter.handle) : 0;
}

/** Leaves a limiter for one object that was collected. Returns the native result, or 0. */
export function leaveLimiter(limiter: OpenLimiter): number {
  if (!isLast(limiter)) return 0;
  return limiter.isPrivate
    ? native().sluice_limiter_close(limiter.handle)
    : native().sluice_limiter_leave(limiter.handle);
}

/** Counts one object less, and returns whether it was the last. */
function isLast(limiter: OpenLimiter): boolean {
  limiter.users--;
  if (limiter.users > 0) return false;
  const key = limiter.name.toWellFormed();
  if (limiters.get(key) === limiter) limiters.delete(key);
  return true;
}
