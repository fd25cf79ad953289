/**
 * The types of native functions, derived from the generated table, and the interface of a runtime's backend.
 *
 * @module
 */
import type { symbols } from "./symbols.gen.ts";

/** The types of parameters. A `"buffer"` is a typed array whose memory JavaScript owns. */
export type ParameterType = "u32" | "i32" | "f64" | "buffer";

/** The types of results. */
export type ReturnType = "i32" | "f64";

/** A table of symbols, as `symbols.gen.ts` declares it. */
export type SymbolTable = Readonly<
  Record<string, { readonly args: readonly ParameterType[]; readonly returns: ReturnType }>
>;

/** The typed arrays that may be passed. A call passes the view itself, and never an address. */
export type NativeBuffer = Uint8Array | Uint32Array | Float64Array;

type Arguments<P extends readonly ParameterType[]> = {
  -readonly [I in keyof P]: P[I] extends "buffer" ? NativeBuffer : number;
};

/** The functions of a table, with the types of their calls. */
export type Functions<T extends SymbolTable> = {
  readonly [K in keyof T]: (...args: Arguments<T[K]["args"]>) => number;
};

/** The functions of the library. */
export type Native = Functions<typeof symbols>;

/** Everything that differs between the runtimes. */
export interface Backend {
  /** The runtime's name and version, for messages. */
  readonly runtime: string;
  /** The operating system and processor by Node's names, such as `linux-x64`. */
  readonly platform: string;
  /** The path that a `file:` URL names. */
  pathOf(url: string): string;
  /** Loads the library at `path` and looks up the functions of `table`. Throws what the runtime throws. */
  open<T extends SymbolTable>(path: string, table: T): Functions<T>;
  /** Whether the runtime permits this program to load `path`. */
  permits(path: string): boolean;
  /** The flags that would permit it to load these files, for messages. */
  permissionFor(paths: readonly string[]): string;
  /** Whether a file exists at `path`, or undefined if this program may not read that. Never prompts. */
  exists(path: string): boolean | undefined;
  /** An environment variable, or undefined if it is not set or this program may not read it. Never prompts. */
  environment(name: string): string | undefined;
  /** What holds the library if this program is a single executable, whose files only the runtime can open. */
  readonly executable?: Executable | undefined;
  /** Whether allocating a small typed array is about as fast as making a view of existing memory. */
  readonly isArrayCheap: boolean;
  /** The longest string, in UTF-16 units, that JavaScript converts to UTF-8 faster than a call into the runtime does. */
  readonly shortUnits: number;
  /**
   * Writes a string as UTF-8 into `bytes` from `offset` on, as far as there is room, and returns the number of bytes.
   * Only in a runtime where this is faster than making the view that `encodeInto` needs.
   */
  readonly writeAt?: (bytes: Uint8Array, text: string, offset: number) => number;
  /**
   * A copy of the units of a string, in a runtime that copies them faster than it converts the string to UTF-8.
   * Undefined while that is not yet worth loading, or if the units are not available.
   */
  readonly unitsOf?: (text: string) => Units | undefined;
}

/** A single executable of a runtime, which has files or assets in it. */
export interface Executable {
  /** The content of the embedded file at `path`. */
  read?(path: string): Uint8Array;
  /** The content of an asset, or undefined if there is none of that name. */
  asset?(name: string): Uint8Array | undefined;
}

/** The units of a string. */
export interface Units {
  /** 1 for Latin-1, 2 for little-endian UTF-16. */
  readonly size: 1 | 2;
  readonly bytes: Uint8Array;
}
