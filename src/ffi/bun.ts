/**
 * The backend for Bun, an adapter of `bun:ffi`.
 *
 * @module
 */
import type { Backend, Functions, SymbolTable } from "./native.ts";

/** The parts of Bun that this file uses, declared here so that Deno can type-check the file. */
interface Bun {
  readonly version: string;
  readonly isStandaloneExecutable: boolean;
  fileURLToPath(url: string): string;
}

/** The parts of `bun:ffi` that this file uses, declared here because Deno cannot resolve the module. */
interface BunFfi {
  dlopen(
    path: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: unknown };
}

/** The backend, or undefined outside Bun. */
export function bunBackend(): Backend | undefined {
  // Not `process.versions`, because the first use of `process` costs Deno 15 ms.
  const { Bun: bun } = globalThis as { Bun?: Bun };
  if (bun === undefined) return undefined;
  const utf8Write = utf8WriteOfBuffer();
  return {
    runtime: `Bun ${bun.version}`,
    platform: `${process.platform}-${process.arch}`,
    pathOf: bun.fileURLToPath,
    // The names of types in the table are Bun's own.
    open<T extends SymbolTable>(path: string, table: T): Functions<T> {
      return ffi().dlopen(path, table).symbols as Functions<T>;
    },
    permits: () => true,
    permissionFor: () => "",
    exists: (path) => process.getBuiltinModule("node:fs").existsSync(path),
    executable: bun.isStandaloneExecutable
      ? { read: (path) => process.getBuiltinModule("node:fs").readFileSync(path) }
      : undefined,
    isArrayCheap: true,
    shortUnits: 0,
    writeAt: (bytes, text, offset) => utf8Write.call(bytes, text, offset),
    environment: (name) => process.env[name],
  };
}

/** A method of `Buffer` that its types lack. In Bun its receiver may be any `Uint8Array`. */
function utf8WriteOfBuffer(): (this: Uint8Array, text: string, offset: number) => number {
  const { prototype } = process.getBuiltinModule("node:buffer").Buffer;
  return (prototype as unknown as { utf8Write: ReturnType<typeof utf8WriteOfBuffer> }).utf8Write;
}

/** The module as a builtin, because Deno cannot load a file with a `bun:` import. */
function ffi(): BunFfi {
  return process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
}
