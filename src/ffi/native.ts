/**
 * The neutral vocabulary of the seam: what a symbol may take and give, and the types that follow
 * from the generated table. Nothing here is written per function.
 *
 * @module
 */
import type { symbols } from "./symbols.gen.ts";

/** What a parameter may be. A `"buffer"` is a typed array whose memory JavaScript owns. */
export type ParameterType = "u32" | "i32" | "f64" | "buffer";

/** What a function may return. */
export type ReturnType = "i32" | "f64";

/** A table of symbols, as `symbols.gen.ts` declares it. */
export type SymbolTable = Readonly<
  Record<string, { readonly args: readonly ParameterType[]; readonly returns: ReturnType }>
>;

/** The typed arrays that may cross. The view itself is passed each time, never an address. */
export type NativeBuffer = Uint8Array | Uint32Array | Float64Array;

type Arguments<P extends readonly ParameterType[]> = {
  -readonly [I in keyof P]: P[I] extends "buffer" ? NativeBuffer : number;
};

/** The functions of a table, as they are called. */
export type Functions<T extends SymbolTable> = {
  readonly [K in keyof T]: (...args: Arguments<T[K]["args"]>) => number;
};

/** The functions of the library. */
export type Native = Functions<typeof symbols>;

/** What differs between runtimes, and all that does. */
export interface Backend {
  /** The runtime's name and version, for messages. */
  readonly runtime: string;
  /** The operating system and processor, in Node's words, such as `linux-x64`. */
  readonly platform: string;
  /** The path that a `file:` URL names. */
  pathOf(url: string): string;
  /** Loads the library at `path` and looks up what `table` names; throws what the runtime throws. */
  open<T extends SymbolTable>(path: string, table: T): Functions<T>;
  /** Whether the runtime lets this program load `path`. */
  permits(path: string): boolean;
  /** Whether there is a file at `path`, or undefined if this program may not see that. Never prompts. */
  exists(path: string): boolean | undefined;
  /** An environment variable, or undefined if it is not set or not ours to read. Never prompts. */
  environment(name: string): string | undefined;
  /** Whether a small typed array of its own takes hardly more time than a view of memory that is there. */
  readonly isArrayCheap: boolean;
  /** Up to so many UTF-16 units of a string are sooner made UTF-8 in JavaScript than by a call into the runtime. */
  readonly shortUnits: number;
  /**
   * Writes a string as UTF-8 into `bytes` from `offset` on, as far as there is room, and returns how many
   * bytes that are, in a runtime that does so sooner than it makes the view that `encodeInto` needs there.
   */
  readonly writeAt?: (bytes: Uint8Array, text: string, offset: number) => number;
  /**
   * A copy of what a string is made of, in a runtime that gives that sooner than its UTF-8; undefined as
   * long as that does not pay, or if it cannot be had.
   */
  readonly unitsOf?: (text: string) => Units | undefined;
}

/** What a string is made of. */
export interface Units {
  /** 1 for Latin-1, 2 for UTF-16 with the lower byte first. */
  readonly size: 1 | 2;
  readonly bytes: Uint8Array;
}
