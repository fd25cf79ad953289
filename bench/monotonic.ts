/**
 * The clock that limiters go by, read from JavaScript.
 *
 * `performance.timeOrigin + performance.now()` is not that: a Worker's `timeOrigin` is the wall clock of
 * when it started, which may be corrected while a process runs, so that Workers of different age may differ.
 *
 * @module
 */
import process from "node:process";
import { detectBackend } from "../src/ffi/load.ts";

/** Of Linux: CLOCK_MONOTONIC and CLOCK_MONOTONIC_COARSE, which limiters go by. */
export const PRECISE = 1;
export const COARSE = 6;

/** The C library's `clock_gettime`, which writes seconds and nanoseconds to a buffer. Linux only. */
export function clockGettime(): (clock: number, time: Uint8Array<ArrayBuffer>) => number {
  return detectBackend().open(
    "libc.so.6",
    { clock_gettime: { args: ["i32", "buffer"], returns: "i32" } } as const,
  ).clock_gettime;
}

/** Tells milliseconds, the same in all Workers on Linux; elsewhere only nearly. */
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
