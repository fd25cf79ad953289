/**
 * Loads the native library: once per isolate, on first use, and never unloads it.
 *
 * Importing sluice opens nothing, and each function is looked up when it is first asked for: that costs
 * Deno 0.15 to 0.3 ms each, and a program that counts tokens needs three of some seventy. All isolates
 * of a process (the main thread and its Workers) that load the same file share one copy of it and of
 * its state.
 *
 * @module
 */
import { SluiceError, statusError } from "../errors.ts";
import { bunBackend } from "./bun.ts";
import { Copy } from "./copies.ts";
import { denoBackend } from "./deno.ts";
import { type Candidate, candidates } from "./locate.ts";
import type { Backend, Functions, Native, SymbolTable } from "./native.ts";
import { ffiDenied, isMissing, mismatch, notFound, notLoaded } from "./refusals.ts";
import { ABI_HASH, symbols } from "./symbols.gen.ts";

/** A loaded library and where it came from. */
export interface Library {
  readonly path: string;
  readonly origin: Candidate["origin"];
  readonly runtime: string;
  /** As the {@linkcode Backend} has them. */
  readonly isArrayCheap: boolean;
  readonly shortUnits: number;
  readonly writeAt: Backend["writeAt"];
  readonly unitsOf: Backend["unitsOf"];
  /** Throws `SLUICE_LIBRARY_NOT_LOADED` for a function that is not there, when it is asked for. */
  readonly native: Native;
}

let loaded: Library | undefined;
const copy = new Copy(import.meta.url);

/**
 * The library of this isolate, loaded by the first call.
 *
 * @throws {SluiceError} `SLUICE_LIBRARY_NOT_FOUND`, `SLUICE_LIBRARY_NOT_LOADED`,
 * `SLUICE_FFI_DENIED`, `SLUICE_ABI_MISMATCH` or `SLUICE_UNSUPPORTED_PLATFORM`, each saying what to
 * do. A failed call is tried afresh by the next one.
 */
export function library(): Library {
  return loaded ??= enter(load(detectBackend()));
}

function enter(library: Library): Library {
  copy.enter(library.path, library.native.sluice_thread_enter);
  return library;
}

/** The functions of the library of this isolate; throws as {@linkcode library} does. */
export function native(): Native {
  return library().native;
}

/** Passes on a count, a flag or a handle; throws what a negative result stands for. */
export function unwrap(result: number): number {
  if (result >= 0) return result;
  throw statusError(result, lastError());
}

/**
 * The runtime that this is.
 *
 * @throws {SluiceError} `SLUICE_UNSUPPORTED_PLATFORM` if it is neither of the two.
 */
export function detectBackend(): Backend {
  const backend = bunBackend() ?? denoBackend();
  if (backend !== undefined) return backend;
  throw new SluiceError(
    "SLUICE_UNSUPPORTED_PLATFORM",
    `sluice needs Bun or Deno: this is ${process.release?.name ?? "an unknown runtime"} ` +
      `${process.version ?? ""}, which has neither bun:ffi nor Deno.dlopen`,
  );
}

/** Loads the first candidate that is there. Exported for tests; use {@linkcode library}. */
export function load(
  backend: Backend,
  places: Iterable<Candidate> = candidates(backend),
): Library {
  const tried: Candidate[] = [];
  const denied: Candidate[] = [];
  for (const place of places) {
    if (!backend.permits(place.path)) {
      denied.push(place);
      continue;
    }
    try {
      checkHash(backend, place);
      return open(backend, place);
    } catch (cause) {
      if (cause instanceof SluiceError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (!isMissing(place.path, reason, backend.exists(place.path))) {
        throw notLoaded(place, reason, cause);
      }
      tried.push(place);
    }
  }
  throw denied.length > 0 ? ffiDenied(denied) : notFound(tried, backend);
}

function open(backend: Backend, place: Candidate): Library {
  return {
    path: place.path,
    origin: place.origin,
    runtime: backend.runtime,
    isArrayCheap: backend.isArrayCheap,
    shortUnits: backend.shortUnits,
    writeAt: backend.writeAt,
    unitsOf: backend.unitsOf,
    native: foundWhenAsked(symbols, (name) => lookUp(backend, place, name)),
  };
}

/**
 * An object with the functions of `table`, each got from `find` once. By getters, and not by fields that
 * are filled in: so the object keeps one shape, and each call in a program meets one function for good,
 * which is what makes calls quick in both engines.
 */
function foundWhenAsked<T extends SymbolTable>(
  table: T,
  find: <K extends keyof T>(name: K) => Functions<T>[K],
): Functions<T> {
  const functions = {} as Functions<T>;
  for (const name of Object.keys(table) as (keyof T)[]) {
    let found: Functions<T>[typeof name] | undefined;
    Object.defineProperty(functions, name, {
      get: () => found ??= find(name),
      enumerable: true,
    });
  }
  return functions;
}

function lookUp<K extends keyof Native>(backend: Backend, place: Candidate, name: K): Native[K] {
  try {
    return backend.open<SymbolTable>(place.path, { [name]: symbols[name] })[name] as Native[K];
  } catch (cause) {
    throw notLoaded(place, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/**
 * Compares hashes before anything else is looked up, so that an old library is called an old
 * library and not "symbol not found".
 */
function checkHash(backend: Backend, { path }: Candidate): void {
  const probe = { sluice_library_abi_hash: symbols.sluice_library_abi_hash } as const;
  let hash: number;
  try {
    hash = backend.open(path, probe).sluice_library_abi_hash();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (!reason.includes("sluice_library_abi_hash")) throw cause;
    throw mismatch(path, "it has no ABI hash at all, so it is not sluice or too old", cause);
  }
  if (hash !== ABI_HASH) {
    throw mismatch(path, `its ABI hash is ${hex(hash)}, this code needs ${hex(ABI_HASH)}`);
  }
}

function lastError(): string {
  const { sluice_library_last_error } = native();
  let message = new Uint8Array(new ArrayBuffer(512));
  const length = sluice_library_last_error(message, message.length);
  if (length > message.length) {
    message = new Uint8Array(new ArrayBuffer(length));
    sluice_library_last_error(message, length);
  }
  return new TextDecoder().decode(message.subarray(0, length));
}

function hex(hash: number): string {
  return `0x${(hash >>> 0).toString(16).padStart(8, "0")}`;
}
