/**
 * Where the native library may be, best first: `SLUICE_LIB`, the platform package, the local build.
 *
 * Nothing here touches the file system beyond module resolution: in Deno that would need
 * `--allow-read`, and `--allow-ffi=<library>` alone has to be enough.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import type { Backend } from "./native.ts";

/** A place to look, and how it came to be one. */
export interface Candidate {
  readonly path: string;
  readonly origin: "SLUICE_LIB" | "platform package" | "local build";
}

/** The environment variable that names the library, ahead of every other place. */
export const LIBRARY_VARIABLE = "SLUICE_LIB";

const FILES: Readonly<Record<string, string>> = {
  linux: "libsluice.so",
  darwin: "libsluice.dylib",
  win32: "sluice.dll",
};

/** The platforms that a library can be built for, as the {@linkcode Backend} names them. */
export const PLATFORMS: readonly string[] = [
  "linux-x64",
  "linux-arm64",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64",
];

/**
 * Where to look on this platform, each place worked out when it is its turn. A library named by
 * `SLUICE_LIB` is the only candidate: who names one wants that one.
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
  // A module that came over the network has no library beside it.
  if (local.protocol === "file:") {
    yield { path: backend.pathOf(local.href), origin: "local build" };
  }
}

/** The npm package that carries the library of one of {@linkcode PLATFORMS}. */
export function packageName(platform: string): string {
  return `@sluice/${platform}${platform.startsWith("linux") ? "-gnu" : ""}`;
}

function resolve(backend: Backend, specifier: string): string | undefined {
  try {
    return backend.pathOf(import.meta.resolve(specifier));
  } catch {
    // Not installed, which is normal in a checkout: the local build comes next.
    return undefined;
  }
}
