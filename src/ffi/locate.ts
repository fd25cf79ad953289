/**
 * The search path of the native library, in order: `SLUICE_LIB`, the platform package, the local build.
 *
 * Apart from module resolution, nothing here uses the file system, because `--allow-ffi=<library>` alone must be enough
 * in Deno, without `--allow-read`.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import type { Backend } from "./native.ts";

/** A path to try, and its origin. */
export interface Candidate {
  readonly path: string;
  readonly origin: "SLUICE_LIB" | "platform package" | "local build";
}

/** The environment variable with the path of the library, which takes precedence. */
export const LIBRARY_VARIABLE = "SLUICE_LIB";

const FILES: Readonly<Record<string, string>> = {
  linux: "libsluice.so",
  darwin: "libsluice.dylib",
  win32: "sluice.dll",
};

/** The platforms for which the library can be built, by {@linkcode Backend.platform}. */
export const PLATFORMS: readonly string[] = [
  "linux-x64",
  "linux-arm64",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64",
];

/**
 * The candidates on this platform, each computed when it is needed. A library named by `SLUICE_LIB` is the only
 * candidate.
 *
 * @throws {SluiceError} `SLUICE_UNSUPPORTED_PLATFORM` if there is no library for this platform.
 */
export function* candidates(backend: Backend): Generator<Candidate> {
  const { platform } = backend;
  const named = backend.environment(LIBRARY_VARIABLE);
  if (named !== undefined && named !== "") return yield { path: named, origin: "SLUICE_LIB" };
  const file = FILES[platform.slice(0, platform.indexOf("-"))];
  if (file === undefined || !PLATFORMS.includes(platform)) {
    throw new SluiceError(
      "SLUICE_UNSUPPORTED_PLATFORM",
      `sluice has no native library for ${platform} (it has ${PLATFORMS.join(", ")}). ` +
        `If you built one, name it in ${LIBRARY_VARIABLE}.`,
    );
  }
  const packaged = resolve(backend, `${packageName(platform)}/${file}`);
  if (packaged !== undefined) yield { path: packaged, origin: "platform package" };
  const local = new URL(`../../target/release/${file}`, import.meta.url);
  // A module from the network has no library next to it.
  if (local.protocol === "file:") {
    yield { path: backend.pathOf(local.href), origin: "local build" };
  }
}

/** The npm package with the library for one of {@linkcode PLATFORMS}. */
export function packageName(platform: string): string {
  return `@sluice/${platform}${platform.startsWith("linux") ? "-gnu" : ""}`;
}

function resolve(backend: Backend, specifier: string): string | undefined {
  try {
    return backend.pathOf(import.meta.resolve(specifier));
  } catch {
    // Not installed, which is normal in a checkout. The local build comes next.
    return undefined;
  }
}
