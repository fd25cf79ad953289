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
import { withSharing } from "./shared_config.ts";
import type { SharedLife, SharedStore } from "./shared_store.ts";
import { textBuffer } from "../text_buffer.ts";

/** One limiter, shared by all its objects of this isolate. */
export class OpenLimiter {
  readonly handle: number;
  readonly name: string;
  readonly isPrivate: boolean;
  /** All options as one string: equal strings are equal options. */
  readonly options: string;
  /** The number of its objects that are neither closed nor collected. */
  users = 1;
  /** What asks a store, if the limiter is shared with other processes. */
  shared: SharedLife | undefined;
  /** Resolves when a shared limiter has given back what this process held. */
  left: Promise<void> | undefined;
  readonly keys: KeyCache = new KeyCache();

  constructor(handle: number, name: string, isPrivate: boolean, options: string) {
    this.handle = handle;
    this.name = name;
    this.isPrivate = isPrivate;
    this.options = options;
  }
}

const limiters = new Map<string, OpenLimiter>();

/**
 * Opens a limiter for one more object.
 *
 * @param clock The clock as a number of the native side.
 * @param store What it is shared through.
 */
export function openLimiter(
  name: string,
  isPrivate: boolean,
  config: LimiterConfig,
  clock: number,
  store: SharedStore | undefined,
): OpenLimiter {
  const { text, numbers } = store === undefined ? config : withSharing(config, store.settings);
  // All lone surrogates are the same in UTF-8.
  const key = name.toWellFormed();
  const options = `${clock} ${numbers.join()} ${text.toWellFormed()}`;
  const known = limiters.get(key);
  if (known?.options === options) {
    known.users++;
    if (store !== undefined) known.shared?.join(store);
    return known;
  }
  const { sluice_limiter_open, sluice_shared_open } = native();
  const open = store === undefined ? sluice_limiter_open : sluice_shared_open;
  const length = textBuffer.write(text);
  const handle = unwrap(open(textBuffer.bytes, length, numbers, numbers.length, clock));
  const limiter = new OpenLimiter(handle, name, isPrivate, options);
  if (store !== undefined) {
    limiter.shared = store.serve(handle, name);
    limiter.shared.join(store);
  }
  limiters.set(key, limiter);
  return limiter;
}

/** Closes a limiter for one object. The last one closes the handle. Returns the native result, or 0. */
export function closeLimiter(limiter: OpenLimiter, store: SharedStore | undefined): number {
  return part(limiter, store, () => native().sluice_limiter_close(limiter.handle));
}

/** Leaves a limiter for one object that was collected. Returns the native result, or 0. */
export function leaveLimiter(limiter: OpenLimiter, store: SharedStore | undefined): number {
  return part(limiter, store, () => {
    return limiter.isPrivate
      ? native().sluice_limiter_close(limiter.handle)
      : native().sluice_limiter_leave(limiter.handle);
  });
}

/** Closes the handle with the last object: a shared limiter after it has given back what it held. */
function part(limiter: OpenLimiter, store: SharedStore | undefined, close: () => number): number {
  const { shared } = limiter;
  if (store !== undefined) shared?.part(store);
  if (!isLast(limiter)) return 0;
  if (shared === undefined) return close();
  limiter.left = shared.leave(() => void close());
  return 0;
}

/** Counts one object less, and returns whether it was the last. */
function isLast(limiter: OpenLimiter): boolean {
  limiter.users--;
  if (limiter.users > 0) return false;
  const key = limiter.name.toWellFormed();
  if (limiters.get(key) === limiter) limiters.delete(key);
  return true;
}
