/**
 * The table of all targets of a release: one row for each platform package, in the order of publication.
 *
 * @module
 */

/** One target of a release. */
export interface Target {
  /** The part of the package's name after `@sluice/`. */
  readonly name: string;
  /** The target triple by which a release builds it. */
  readonly triple: string;
  /** Node's name of the operating system. */
  readonly os: "linux" | "darwin" | "win32";
  /** Node's name of the processor. */
  readonly cpu: "x64" | "arm64";
  /** The C library by npm's name, on Linux. */
  readonly libc?: "glibc" | "musl";
  /** The newest version of glibc whose symbols the library may need: that of Bun's own builds. */
  readonly glibc?: "2.17";
  /** The name of the library's file. */
  readonly file: "libsluice.so" | "libsluice.dylib" | "sluice.dll";
}

const linux = { os: "linux", file: "libsluice.so" } as const;
const gnu = { ...linux, libc: "glibc", glibc: "2.17" } as const;
const musl = { ...linux, libc: "musl" } as const;
const darwin = { os: "darwin", file: "libsluice.dylib" } as const;

/** All targets. */
export const TARGETS: readonly Target[] = [
  { name: "linux-x64-gnu", triple: "x86_64-unknown-linux-gnu", cpu: "x64", ...gnu },
  { name: "linux-arm64-gnu", triple: "aarch64-unknown-linux-gnu", cpu: "arm64", ...gnu },
  { name: "linux-x64-musl", triple: "x86_64-unknown-linux-musl", cpu: "x64", ...musl },
  { name: "linux-arm64-musl", triple: "aarch64-unknown-linux-musl", cpu: "arm64", ...musl },
  { name: "darwin-x64", triple: "x86_64-apple-darwin", cpu: "x64", ...darwin },
  { name: "darwin-arm64", triple: "aarch64-apple-darwin", cpu: "arm64", ...darwin },
  {
    name: "win32-x64",
    triple: "x86_64-pc-windows-msvc",
    cpu: "x64",
    os: "win32",
    file: "sluice.dll",
  },
];
