/**
 * The libraries that a bundler put into a single executable or beside a bundle: one branch for each platform package.
 *
 * `bun build` replaces each literal `require` of an installed package by the path of the library that it embeds or
 * copies. It drops the branches of other platforms from an executable. An export `./embed` of the platform packages leads
 * Bun to the library, and other bundlers, which cannot read libraries, to an empty module. It leads them to the library
 * too under the condition `sluice-embed`. Without a bundler this finds nothing.
 *
 * @module
 */
import type { CLibrary } from "./loader_messages.ts";

/** A library that was bundled. */
export interface Embedded {
  /** A path in the executable, or one relative to the bundle. */
  readonly path: string;
  readonly libc?: CLibrary;
}

/** In a bundle, what the bundler makes of it. Undefined in a module. */
declare const require: (specifier: string) => unknown;
/** The path of a CommonJS module. */
declare const __filename: string | undefined;

/**
 * The URL of the module with this `import.meta`, or of the bundle that has it. In CommonJS some bundlers leave
 * `import.meta` without one.
 */
export function moduleUrl({ url }: { readonly url?: string }): string | undefined {
  if (url !== undefined || typeof __filename !== "string") return url;
  return process.getBuiltinModule("node:url").pathToFileURL(__filename).href;
}

/**
 * The libraries for this platform, in the order in which they are to be tried.
 *
 * Not to be called before the platform packages were searched in a program that is not bundled: Bun reads a whole library
 * as source code.
 */
export function embeddedLibraries(): Embedded[] {
  const found: Embedded[] = [];
  const add = (path: unknown, libc?: CLibrary): void => {
    if (typeof path === "string") found.push(libc === undefined ? { path } : { path, libc });
  };
  // Each `require` stands in a `try` of its own, so that bundlers accept a package that is not installed.
  if (process.platform === "linux" && process.arch === "x64") {
    try {
      add(require("@sluice/linux-x64-gnu/embed"), "glibc");
    } catch { /* not bundled */ }
    try {
      add(require("@sluice/linux-x64-musl/embed"), "musl");
    } catch { /* not bundled */ }
  }
  if (process.platform === "linux" && process.arch === "arm64") {
    try {
      add(require("@sluice/linux-arm64-gnu/embed"), "glibc");
    } catch { /* not bundled */ }
    try {
      add(require("@sluice/linux-arm64-musl/embed"), "musl");
    } catch { /* not bundled */ }
  }
  if (process.platform === "darwin" && process.arch === "x64") {
    try {
      add(require("@sluice/darwin-x64/embed"));
    } catch { /* not bundled */ }
  }
  if (process.platform === "darwin" && process.arch === "arm64") {
    try {
      add(require("@sluice/darwin-arm64/embed"));
    } catch { /* not bundled */ }
  }
  if (process.platform === "win32" && process.arch === "x64") {
    try {
      add(require("@sluice/win32-x64/embed"));
    } catch { /* not bundled */ }
  }
  return found;
}
