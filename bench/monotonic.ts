/**
 * The monotonic clock of the system, which limiters use, read from JavaScript.
 *
 * `performance.timeOrigin + performance.now()` differs from it: the `timeOrigin` of a Worker is the wall clock of its
 * start, which may be adjusted while the process runs.
 *
 * @module
 */
import process from "node:process";
import { detectBackend } from "../src/ffi/load.ts";

/** Linux's CLOCK_MONOTONIC and CLOCK_MONOTONIC_COARSE. */
export const PRECISE = 1;
export const COARSE = 6;

/** The C library's `clock_gettime`, which writes seconds and nanoseconds to a buffer. Linux only. */
export function clockGettime(): (clock: number, time: Uint8Array<ArrayBuffer>) => number {
  return detectBackend().open(
    "libc.so.6",
    { clock_gettime: { args: ["i32", "buffer"], returns: "i32" } } as const,
  ).clock_gettime;
}

/** A clock of milliseconds that is the same in all Workers on Linux, and nearly so elsewhere. */
export function monotonicClock(): () => number {
  if (process.platform !== "linux") return () => performance.timeOrigin + performance.now();
  const read = clockGettime();
  const time = new BigInt64Array(2);
  const bytes = new Uint8Array(time.buffer);
  return () => {
    read(PRECISE, bytes);
    return Number(time[0]) * 1e3 + Number(time[1]) / 1e6;
  };
}
