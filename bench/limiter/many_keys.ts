/**
 * Checks of many keys in turn: one by one and in batches, by key and by string.
 *
 * @module
 */
import { openLimiter } from "./checks.ts";
import { type Bucket, MapGcra, OPEN, SHUT } from "./gcra.ts";
import type { Contender, Outcome } from "./rounds.ts";

/** Sizes of batches. */
export const BATCHES = [1, 8, 64, 512] as const;
/** Keys of the batches: a whole number of each. */
export const BATCHED_KEYS = 512;
/** Keys that are asked for by string: fewer than sluice remembers by name, too many for a first cache. */
export const NAMED_KEYS = 5120;

/** How many keys in turn are asked for, as tables show it. */
export type ManyName = "sluice, by key" | "sluice, by string" | "Map, own clock";

/** Opens one that asks for so many keys in turn. */
export function openMany(name: ManyName, keys: number, outcome: Outcome): Contender {
  const bucket = outcome === "admitted" ? OPEN : SHUT;
  const names = Array.from({ length: keys }, (_, i) => `tenant-${i}`);
  switch (name) {
    case "sluice, by key":
      return byKey(bucket, names);
    case "sluice, by string":
      return byString(bucket, names);
    case "Map, own clock":
      return mapped(bucket, names);
  }
}

/** Opens batches of so many keys; `times` counts checks. */
export function openBatch(size: number, outcome: Outcome): Contender {
  const limiter = openLimiter(outcome === "admitted" ? OPEN : SHUT);
  const names = Array.from({ length: BATCHED_KEYS }, (_, i) => `tenant-${i}`);
  const ids = Float64Array.from(names, (name) => limiter.key(name).id);
  const batches: Float64Array[] = [];
  for (let i = 0; i < ids.length; i += size) {
    const batch = new Float64Array(new ArrayBuffer(8 * size));
    batch.set(ids.subarray(i, i + size));
    batches.push(batch);
  }
  const out = new Float64Array(new ArrayBuffer(8 * size));
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0, at = 0; i < times; i += size) {
        admitted += limiter.raw.takeBatch(batches[at]!, undefined, out);
        if (++at === batches.length) at = 0;
      }
      return admitted;
    },
    close: () => limiter.close(),
  };
}

function byKey(bucket: Bucket, names: readonly string[]): Contender {
  const limiter = openLimiter(bucket);
  const keys = names.map((name) => limiter.key(name));
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0, at = 0; i < times; i++) {
        if (limiter.take(keys[at]!).allowed) admitted++;
        if (++at === keys.length) at = 0;
      }
      return admitted;
    },
    close: () => limiter.close(),
  };
}

function byString(bucket: Bucket, names: readonly string[]): Contender {
  const limiter = openLimiter(bucket);
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0, at = 0; i < times; i++) {
        if (limiter.take(names[at]!).allowed) admitted++;
        if (++at === names.length) at = 0;
      }
      return admitted;
    },
    close: () => limiter.close(),
  };
}

function mapped(bucket: Bucket, names: readonly string[]): Contender {
  const gcra = new MapGcra(bucket);
  return {
    run(times) {
      let admitted = 0;
      for (let i = 0, at = 0; i < times; i++) {
        if (gcra.take(names[at]!, 1, performance.now()) === 0) admitted++;
        if (++at === names.length) at = 0;
      }
      return admitted;
    },
  };
}
