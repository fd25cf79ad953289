/**
 * The limiters that an isolate has open, each once whatever the number of objects: by name, counted.
 *
 * Who makes an object for every request and never closes it must neither run out of handles nor lose
 * what its keys have used. So a limiter that has a name stays open when the last of its objects is
 * collected, and is closed when its handle or its name is wanted for something else. One without a name
 * can be found by nobody again, and is closed.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import { native, unwrap } from "../ffi/load.ts";
import type { LimiterConfig } from "./config.ts";
import { KeyCache } from "./key.ts";
import { textBuffer } from "../text_buffer.ts";

/** One limiter, as all its objects of this isolate share it. */
export class OpenLimiter {
  /** Its objects that are neither closed nor collected. */
  users = 1;
  readonly keys: KeyCache = new KeyCache();

  constructor(
    readonly handle: number,
    readonly name: string,
    readonly isPrivate: boolean,
    /** What it was opened with: equal if all is. */
    readonly options: string,
  ) {}
}

/** By name; the one that was opened first is the first. */
const open = new Map<string, OpenLimiter>();

const collected = new FinalizationRegistry<OpenLimiter>((limiter) => {
  limiter.users--;
  if (limiter.users === 0 && limiter.isPrivate) closeNative(limiter);
});

/** Opens a limiter for one more object. @param clock As the native side takes it. */
export function openLimiter(
  name: string,
  isPrivate: boolean,
  { text, numbers }: LimiterConfig,
  clock: number,
): OpenLimiter {
  // Lone surrogates are all one in UTF-8.
  const known = name.toWellFormed();
  const options = `${clock} ${numbers.join()} ${text.toWellFormed()}`;
  const there = open.get(known);
  if (there?.options === options) {
    there.users++;
    return there;
  }
  // Nobody uses it any more, so nobody needs its options.
  if (there?.users === 0) closeNative(there);
  const limiter = new OpenLimiter(openNative(text, numbers, clock), name, isPrivate, options);
  open.set(known, limiter);
  return limiter;
}

/** Counts an object that must be given up by {@linkcode closeLimiter}, or be collected. */
export function watchUser(user: object, limiter: OpenLimiter): void {
  collected.register(user, limiter, user);
}

/** One object is closed; the last of them closes the limiter. */
export function closeLimiter(user: object, limiter: OpenLimiter): void {
  collected.unregister(user);
  limiter.users--;
  if (limiter.users === 0) closeNative(limiter);
}

function openNative(text: string, numbers: Float64Array<ArrayBuffer>, clock: number): number {
  for (;;) {
    const length = textBuffer.write(text);
    const { sluice_limiter_open } = native();
    try {
      return unwrap(
        sluice_limiter_open(textBuffer.bytes, length, numbers, numbers.length, clock),
      );
    } catch (error) {
      const isFull = error instanceof SluiceError && error.code === "SLUICE_TOO_MANY_HANDLES";
      const unused = isFull ? firstUnused() : undefined;
      if (unused === undefined) throw error;
      closeNative(unused);
    }
  }
}

function firstUnused(): OpenLimiter | undefined {
  for (const limiter of open.values()) if (limiter.users === 0) return limiter;
  return undefined;
}

function closeNative(limiter: OpenLimiter): void {
  const known = limiter.name.toWellFormed();
  if (open.get(known) === limiter) open.delete(known);
  native().sluice_limiter_close(limiter.handle);
}
