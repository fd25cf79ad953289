/**
 * What a check is made of: the crossing, the clock, and the call without our JavaScript around it.
 *
 * @module
 */
import process from "node:process";
import { native } from "../../src/ffi/load.ts";
import { RateLimiterBase } from "../../src/limiter/rate_limiter_base.ts";
import { clockGettime, COARSE, PRECISE } from "../monotonic.ts";
import { openLimiter } from "./checks.ts";
import { OPEN } from "./gcra.ts";
import type { Contender } from "./rounds.ts";

/** The names, as tables show them. */
export const FLOORS = [
  "empty crossing",
  "crossing with a buffer",
  "crossing that reads CLOCK_MONOTONIC",
  "crossing that reads CLOCK_MONOTONIC_COARSE",
  "bare call of sluice_limiter_take",
  "performance.now()",
] as const;

/** One of {@linkcode FLOORS}. */
export type FloorName = (typeof FLOORS)[number];

/**
 * All of them that this system has: the C library's clock is asked on Linux only. It writes to a
 * buffer, so what it costs itself is what it costs above a crossing with a buffer.
 */
export function openFloors(): [FloorName, Contender][] {
  const floors: [FloorName, Contender][] = [
    ["empty crossing", emptyCrossing()],
    ["crossing with a buffer", bufferCrossing()],
    ["bare call of sluice_limiter_take", bareTake()],
    ["performance.now()", ownClock()],
  ];
  if (process.platform === "linux") {
    floors.push(
      ["crossing that reads CLOCK_MONOTONIC", clockCrossing(PRECISE)],
      ["crossing that reads CLOCK_MONOTONIC_COARSE", clockCrossing(COARSE)],
    );
  }
  return floors.sort(([a], [b]) => FLOORS.indexOf(a) - FLOORS.indexOf(b));
}

function emptyCrossing(): Contender {
  const { sluice_library_abi_hash } = native();
  return {
    run(times) {
      for (let i = 0; i < times; i++) sluice_library_abi_hash();
      return times;
    },
  };
}

function bufferCrossing(): Contender {
  const { sluice_library_version } = native();
  const buffer = new Uint8Array(new ArrayBuffer(16));
  return {
    run(times) {
      for (let i = 0; i < times; i++) sluice_library_version(buffer, 0);
      return times;
    },
  };
}

function clockCrossing(clock: number): Contender {
  const clock_gettime = clockGettime();
  const buffer = new Uint8Array(new ArrayBuffer(16));
  // Two functions, as each is to have a call site of its own.
  return {
    run: clock === PRECISE
      ? (times) => {
        let read = 0;
        for (let i = 0; i < times; i++) if (clock_gettime(clock, buffer) === 0) read++;
        return read;
      }
      : (times) => {
        let read = 0;
        for (let i = 0; i < times; i++) if (clock_gettime(clock, buffer) === 0) read++;
        return read;
      },
  };
}

function bareTake(): Contender {
  const limiter = openLimiter(OPEN);
  const { id } = limiter.key("tenant-42");
  const { native, handle } = RateLimiterBase.coreOf(limiter)!;
  const { sluice_limiter_take } = native;
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0; i < times; i++) {
        if (sluice_limiter_take(handle, id, 1, 0, 0, 0) === 0) admitted++;
      }
      return admitted;
    },
    close: () => limiter.close(),
  };
}

function ownClock(): Contender {
  return {
    run(times) {
      let ordered = 0;
      let last = 0;
      for (let i = 0; i < times; i++) {
        const now = performance.now();
        if (now >= last) ordered++;
        last = now;
      }
      return ordered;
    },
  };
}
