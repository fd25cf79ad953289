/**
 * The backend for Deno, an adapter of `Deno.dlopen`.
 *
 * @module
 */
import type { Backend, Functions, SymbolTable, Units } from "./native.ts";

/** The parts of Deno that this file uses, declared here so that Bun can type-check the file. */
interface DenoFfi {
  readonly version: { readonly deno: string };
  readonly build: { readonly os: string; readonly arch: string };
  readonly env: { get(name: string): string | undefined };
  readonly permissions: {
    querySync(
      descriptor: { name: "ffi" | "read"; path: string } | { name: "env"; variable: string },
    ): { readonly state: string };
  };
  statSync(path: string): unknown;
  dlopen(
    path: string,
    symbols: Record<string, { parameters: readonly string[]; result: string }>,
  ): { symbols: unknown };
}

/** The backend, or undefined outside Deno. */
export function denoBackend(): Backend | undefined {
  const deno = (globalThis as { Deno?: DenoFfi }).Deno;
  if (deno?.dlopen === undefined) return undefined;
  return {
    runtime: `Deno ${deno.version.deno}`,
    platform: platformOf(deno.build),
    pathOf(url) {
      // Not by `URL`, whose first use costs Deno 0.2 ms.
      const path = decodeURIComponent(url.slice("file://".length));
      return deno.build.os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
    },
    open<T extends SymbolTable>(path: string, table: T): Functions<T> {
      const symbols = Object.entries(table).map(([name, { args, returns }]) =>
        [name, { parameters: args, result: returns }] as const
      );
      return deno.dlopen(path, Object.fromEntries(symbols)).symbols as Functions<T>;
    },
    // Queried first, so that a missing permission is a typed error and never a prompt during a request.
    permits: (path) => deno.permissions.querySync({ name: "ffi", path }).state === "granted",
    permissionFor: (paths) => `--allow-ffi=${paths.join(",")} (or --allow-ffi for any library)`,
    exists(path) {
      if (deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
      try {
        deno.statSync(path);
        return true;
      } catch {
        return false;
      }
    },
    environment(name) {
      const { state } = deno.permissions.querySync({ name: "env", variable: name });
      return state === "granted" ? deno.env.get(name) : undefined;
    },
    isArrayCheap: false,
    shortUnits: 32,
    unitsOf(text) {
      if (Serializer === undefined) {
        unitsSeen += text.length;
        if (unitsSeen < WORTH_LOADING) return undefined;
        loading ??= import("node:v8").then((v8) => void (Serializer = v8.Serializer));
        if (unitsSeen < WORTH_WAITING) return undefined;
        Serializer = process.getBuiltinModule("node:v8").Serializer;
      }
      const serializer = new Serializer();
      serializer.writeValue(text);
      return unitsIn(serializer.releaseBuffer(), text.length);
    },
  };
}

function platformOf({ os, arch }: DenoFfi["build"]): string {
  return `${NODE_NAMES[os] ?? os}-${NODE_NAMES[arch] ?? arch}`;
}

/** Node's names of the systems and processors that Deno names differently. */
const NODE_NAMES: Readonly<Record<string, string>> = {
  windows: "win32",
  x86_64: "x64",
  aarch64: "arm64",
};

/**
 * V8's own serializer. Loading it takes 2 ms, or 6 ms if it is the first of Node's modules (`bench/record`, clock and
 * units), so it is loaded once it could have saved about that. In a program that never lets the event loop run, loading
 * does not finish. Such a program loads it synchronously, in up to 20 ms, once it has lost as much.
 */
let Serializer: typeof import("node:v8").Serializer | undefined;
let loading: Promise<void> | undefined;
const WORTH_LOADING = 1 << 21;
const WORTH_WAITING = 1 << 24;
let unitsSeen = 0;

/**
 * The units of a string of `length` in V8's serialization of it for structured clones: an optional zero for alignment,
 * `"` for Latin-1 or `c` for UTF-16, the number of bytes in groups of seven bits, and the units as they are in memory.
 * Undefined if the bytes have another format.
 */
export function unitsIn(serialized: Uint8Array, length: number): Units | undefined {
  for (const [size, tag] of [[1, 0x22], [2, 0x63]] as const) {
    const head: number[] = [tag];
    let rest = size * length;
    for (; rest > 0x7f; rest >>>= 7) head.push(rest & 0x7f | 0x80);
    head.push(rest);
    const start = serialized.length - size * length;
    const at = start - head.length;
    if ((at === 0 || at === 1) && head.every((byte, i) => serialized[at + i] === byte)) {
      return { size, bytes: serialized.subarray(start) };
    }
  }
  return undefined;
}
