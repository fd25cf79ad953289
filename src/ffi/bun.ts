/**
 * The Bun side of the seam: `bun:ffi`.
 *
 * @module
 */
import type { Backend, Functions, SymbolTable } from "./native.ts";

/** What this file needs of Bun; declared here so that the Deno side type-checks it too. */
interface Bun {
  readonly version: string;
  fileURLToPath(url: string): string;
}

/** What this file needs of `bun:ffi`; declared here because Deno cannot resolve the module. */
interface BunFfi {
  dlopen(
    path: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: unknown };
}

/** The backend, or undefined outside Bun. */
export function bunBackend(): Backend | undefined {
  // Not `process.versions`: in Deno to touch `process` costs 15 ms.
  const { Bun: bun } = globalThis as { Bun?: Bun };
  if (bun === undefined) return undefined;
  const utf8Write = utf8WriteOfBuffer();
  return {
    runtime: `Bun ${bun.version}`,
    platform: `${process.platform}-${process.arch}`,
    pathOf: bun.fileURLToPath,
    // The table's names are Bun's own, so it is handed over as it is.
    open<T extends SymbolTable>(path: string, table: T): Functions<T> {
      return ffi().dlopen(path, table).symbols as Functions<T>;
    },
    permits: () => true,
    exists: (path) => process.getBuiltinModule("node:fs").existsSync(path),
    isArrayCheap: true,
    shortUnits: 0,
    writeAt: (bytes, text, offset) => utf8Write.call(bytes, text, offset),
    environment: (name) => process.env[name],
  };
}

/** Not in the types of Node's `Buffer`; in Bun it takes any `Uint8Array`. */
function utf8WriteOfBuffer(): (this: Uint8Array, text: string, offset: number) => number {
  const { prototype } = process.getBuiltinModule("node:buffer").Buffer;
  return (prototype as unknown as { utf8Write: ReturnType<typeof utf8WriteOfBuffer> }).utf8Write;
}

/** Fetched as a builtin and not imported: a `bun:` import would not load in Deno. */
function ffi(): BunFfi {
  return process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
}
