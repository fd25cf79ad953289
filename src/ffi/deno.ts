/**
 * The Deno side of the seam: `Deno.dlopen`.
 *
 * @module
 */
import type { Backend, Functions, SymbolTable } from "./native.ts";

/** What this file needs of Deno; declared here so that the Bun side type-checks it too. */
interface DenoFfi {
  readonly version: { readonly deno: string };
  readonly env: { get(name: string): string | undefined };
  readonly permissions: {
    querySync(
      descriptor: { name: "ffi"; path: string } | { name: "env"; variable: string },
    ): { readonly state: string };
  };
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
    open<T extends SymbolTable>(path: string, table: T): Functions<T> {
      const symbols = Object.entries(table).map(([name, { args, returns }]) =>
        [name, { parameters: args, result: returns }] as const
      );
      return deno.dlopen(path, Object.fromEntries(symbols)).symbols as Functions<T>;
    },
    // Asked first, so that a missing permission is a typed error and never a prompt in mid-request.
    permits: (path) => deno.permissions.querySync({ name: "ffi", path }).state === "granted",
    environment(name) {
      const { state } = deno.permissions.querySync({ name: "env", variable: name });
      return state === "granted" ? deno.env.get(name) : undefined;
    },
  };
}
