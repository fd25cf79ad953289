/**
 * First and warm passes of an engine over sets of texts, in a process that has tokenized nothing else.
 *
 * mitata repeats one function until it is fast and so has no first pass; hence this harness.
 *
 * @module
 */
import type { BenchedEncoding, EngineName } from "./engines.ts";
import { runSelf } from "./runtimes.ts";

/** The operations that are measured. */
export const OPERATIONS = ["count", "encode"] as const;

/** One of {@linkcode OPERATIONS}. */
export type Operation = typeof OPERATIONS[number];

/** Texts that are tokenized in order. */
export interface TextSet {
  readonly operation: Operation;
  /** A JSON file with the texts. */
  readonly texts: string;
}

/** The work order of a process. */
export interface Order {
  readonly engine: EngineName;
  readonly encoding: BenchedEncoding;
  /** The folder of another checkout of sluice, to be measured instead of this one. */
  readonly checkout?: string;
  readonly sets: readonly TextSet[];
  /** A JSON file with texts to compile the engine on; a sentence by default. */
  readonly rehearsal?: string;
  /** Measures only the first pass, with code that is not compiled yet. */
  readonly isFresh?: boolean;
  /** Milliseconds for the warm passes over a set. */
  readonly budget: number;
  /** Whether a first pass ends when the budget is used up, and slow engines skip long texts. */
  readonly isCut?: boolean;
}

/** What was measured of a set. */
export interface Passes {
  /** The tokens of each text that the first pass reached. */
  readonly counts: readonly number[];
  /** The UTF-8 bytes of those texts. */
  readonly bytes: number;
  /** Milliseconds of the first pass. */
  readonly first: number;
  /** Median milliseconds of the later passes; 0 for a fresh process. */
  readonly warm: number;
  /** Milliseconds of the fastest of them. */
  readonly fastest: number;
  /** An FNV-1a hash of all token ids; 0 if they were only counted. */
  readonly digest: number;
}

/** Measures in a fresh process of this runtime. A set that would take too long gives null. */
export async function measurePasses(order: Order): Promise<(Passes | null)[]> {
  return JSON.parse(await runSelf("passes_child.ts", ["--order", JSON.stringify(order)], true));
}

/** Megabytes a second (10^6 bytes of UTF-8). */
export function speedOf(bytes: number, milliseconds: number): number {
  return bytes / milliseconds / 1e3;
}
