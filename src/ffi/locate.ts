/**
 * The search path of the native library, in order: `SLUICE_LIB`, the executable, the platform packages, the local build,
 * the bundle.
 *
 * Apart from module resolution, nothing here uses the file system outside of an executable, because
 * `--allow-ffi=<library>` alone must be enough in Deno, without `--allow-read`.
 *
 * @module
 */
import { SluiceError } from "../errors.ts";
import { embeddedLibraries, moduleUrl } from "./embedded.ts";
import { copiesOf, copyFolders } from "./embedded_copy.ts";
import type { CLibrary } from "./loader_messages.ts";
import type { Backend, Executable } from "./native.ts";
import { urlOf } from "./resolve.ts";

/**
 * A search. It is passed whether the system refused the last candidate for a reason that holds in every folder, and then
 * makes no further copy of that library.
 */
export type Search = Iterable<Candidate, unknown, boolean | undefined>;

/** A path to try, and its origin. */
export interface Candidate {
  readonly path: string;
  readonly origin:
    | "SLUICE_LIB"
    | "executable"
    | "cache folder"
    | "platform package"
    | "local build"
    | "bundle";
  /** The C library for which it is made, if that is known. */
  readonly libc?: CLibrary;
  /** Whether the next candidate is another copy of the same library, to be tried if this one cannot be loaded. */
  readonly hasCopy?: true;
  /** Why there is no such file, if that is known already. */
  readonly fault?: string;
}

/** The environment variable with the path of the library, which takes precedence. */
export const LIBRARY_VARIABLE = "SLUICE_LIB";

/** The file names of the library, by the operating system. */
export const FILES: Readonly<Record<string, string>> = {
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
export function* candidates(backend: Backend): Generator<Candidate, void, boolean | undefined> {
  const { platform, executable } = backend;
  const named = backend.environment(LIBRARY_VARIABLE);
  if (named !== undefined && named !== "") {
    yield { path: named, origin: "SLUICE_LIB" };
    return;
  }
  const file = FILES[platform.slice(0, platform.indexOf("-"))];
  if (file === undefined || !PLATFORMS.includes(platform)) {
    throw new SluiceError(
      "SLUICE_UNSUPPORTED_PLATFORM",
      `sluice has no native library for ${platform} (it has ${PLATFORMS.join(", ")}). ` +
        `If you built one, name it in ${LIBRARY_VARIABLE}.`,
    );
  }
  // First, so that an executable does not load what happens to be near it.
  if (executable !== undefined) yield* inExecutable(backend, executable, file);
  for (const { name, libc } of packagesOf(platform)) {
    const path = resolve(backend, `${name}/${file}`);
    if (path !== undefined) yield { path, origin: "platform package", ...(libc && { libc }) };
  }
  const local = localBuild(import.meta.url, file);
  if (local !== undefined) yield { path: backend.pathOf(local), origin: "local build" };
  if (executable === undefined) yield* besideBundle(backend);
}

/**
 * The URL of the local build beside the module at `url`, or undefined outside a checkout. A module of JSR ends as one of a
 * checkout does, but comes from the network. Exported for tests.
 */
export function localBuild(url: string | undefined, file: string): string | undefined {
  if (url?.startsWith("file:") !== true || !url.endsWith("/src/ffi/locate.ts")) return undefined;
  return new URL(`../../target/release/${file}`, url).href;
}

/** A platform package, and the C library for which it is made. */
export interface PlatformPackage {
  readonly name: string;
  readonly libc?: CLibrary;
}

/** The npm packages with the library for one of {@linkcode PLATFORMS}, in the order in which they are tried. */
export function packagesOf(platform: string): readonly PlatformPackage[] {
  const name = `@sluice/${platform}`;
  if (!platform.startsWith("linux-")) return [{ name }];
  return [{ name: `${name}-gnu`, libc: "glibc" }, { name: `${name}-musl`, libc: "musl" }];
}

/** What is inside of this executable: as the runtime opens it, then copies of it. */
function* inExecutable(
  backend: Backend,
  executable: Executable,
  file: string,
): Generator<Candidate, void, boolean | undefined> {
  const folders = copyFolders(backend);
  const asset = executable.asset?.(`sluice/${file}`);
  if (asset !== undefined) return yield* copies(asset, file, folders);
  const { read } = executable;
  // Without embedded files, a path of a bundle would be one in the current folder.
  if (read === undefined) return;
  for (const it of embeddedLibraries()) {
    // The runtime makes a copy as well, but in the temporary folder, which may be mounted with noexec.
    const isRefusedEverywhere = yield { ...it, origin: "executable", hasCopy: true };
    if (isRefusedEverywhere !== true) yield* copies(read(it.path), file, folders, it.libc);
  }
}

function* copies(
  bytes: Uint8Array,
  file: string,
  folders: readonly string[],
  libc?: CLibrary,
): Generator<Candidate, void, boolean | undefined> {
  const rest = { origin: "cache folder", hasCopy: true, ...(libc && { libc }) } as const;
  const search = copiesOf(bytes, file, folders);
  let step = search.next();
  while (step.done !== true) step = search.next(yield { ...step.value, ...rest });
}

/** What a bundler copied to a place that it names relative to the bundle. */
function* besideBundle(backend: Backend): Generator<Candidate> {
  const base = moduleUrl(import.meta);
  if (base?.startsWith("file:") !== true) return;
  for (const it of embeddedLibraries()) {
    const path = backend.pathOf(new URL(it.path, base).href);
    yield { ...it, path, origin: "bundle" };
  }
}

function resolve(backend: Backend, specifier: string): string | undefined {
  try {
    return backend.pathOf(urlOf(specifier));
  } catch {
    // Not installed, which is normal in a checkout. The local build comes next.
    return undefined;
  }
}
