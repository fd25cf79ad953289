/**
 * The limiters that an isolate has open, each once whatever the number of objects: by name, counted.
 *
 * Who makes an object for every request and never closes it must neither run out of handles nor lose
 * what its keys have used. So when the last of a limiter's objects is collected and was not closed, the
 * limiter is left as by a Worker that ends: it stays until all its keys are idle. One without a name can
 * be found by nobody again, and is closed.
 *
 * @module
 */
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

/** By name. */
const open = new Map<string, OpenLimiter>();

const collected = new FinalizationRegistry<OpenLimiter>((limiter) => {
  if (!isLast(limiter)) return;
  const { sluice_limiter_close, sluice_limiter_leave } = native();
  (limiter.isPrivate ? sluice_limiter_close : sluice_limiter_leave)(limiter.handle);
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
  const length = textBuffer.write(text);
  const handle = unwrap(
    native().sluice_limiter_open(textBuffer.bytes, length, numbers, numbers.length, clock),
  );
  const limiter = new OpenLimiter(handle, name, isPrivate, options);
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
  if (isLast(limiter)) native().sluice_limiter_close(limiter.handle);
}

/** Counts one object less; whether that was the last. */
function isLast(limiter: OpenLimiter): boolean {
  limiter.users--;
  if (limiter.users > 0) return false;
  const known = limiter.name.toWellFormed();
  if (open.get(known) === limiter) open.delete(known);
  return true;
}
