/**
 * Lazy loading of the native library: once per isolate, on first use, and never unloaded.
 *
 * Importing sluice opens nothing. Each function is looked up when it is first used, because a lookup costs Deno 0.15
 * to 0.3 ms, and a program that counts tokens needs three of about seventy. All isolates of a process (the main thread
 * and its Workers) that load the same file share one copy of it and of its state.
 *
 * @module
 */
import { detailsOf, SluiceError, statusError } from "../errors.ts";
import { bunBackend } from "./bun.ts";
import { Copy } from "./copies.ts";
import { denoBackend } from "./deno.ts";
import { moduleUrl } from "./embedded.ts";
import { type Candidate, candidates, type Search } from "./locate.ts";
import { isMissing, isRefusedEverywhere, systemOf } from "./loader_messages.ts";
import type { Backend, Functions, Native, SymbolTable } from "./native.ts";
import { nodeBackend, nodeWithoutFfi } from "./node.ts";
import { ffiDenied, mismatch, notFound, notLoaded, type Refusal } from "./refusals.ts";
import { ABI_HASH, ERROR_DETAILS, symbols } from "./symbols.gen.ts";

/** A loaded library and its origin. */
export interface Library {
  readonly path: string;
  readonly origin: Candidate["origin"];
  readonly runtime: string;
  /** See {@linkcode Backend.isArrayCheap}, and so for the next three. */
  readonly isArrayCheap: boolean;
  readonly shortUnits: number;
  readonly writeAt: Backend["writeAt"];
  readonly unitsOf: Backend["unitsOf"];
  /** Throws `SLUICE_LIBRARY_NOT_LOADED` when a function is first used that the library lacks. */
  readonly native: Native;
}

let loaded: Library | undefined;
// A bundle without a URL is not known to come again, so it takes nothing away from another.
const copy = new Copy(moduleUrl(import.meta) ?? crypto.randomUUID());

/**
 * The library of this isolate, loaded by the first call. After a failure, the next call tries again.
 *
 * @throws {SluiceError} `SLUICE_LIBRARY_NOT_FOUND`, `SLUICE_LIBRARY_NOT_LOADED`, `SLUICE_FFI_DENIED`,
 * `SLUICE_ABI_MISMATCH` or `SLUICE_UNSUPPORTED_PLATFORM`. The message says what to do.
 */
export function library(): Library {
  return loaded ??= enter(load(detectBackend()));
}

function enter(library: Library): Library {
  copy.enter(library.path, library.native.sluice_thread_enter);
  return library;
}

/** The functions of the library of this isolate. Throws as {@linkcode library} does. */
export function native(): Native {
  return library().native;
}

/** Returns a non-negative result. Throws the error of a negative one, which must be that of the last native call. */
export function unwrap(result: number): number {
  if (result >= 0) return result;
  throw statusError(result, lastError(), lastDetails());
}

/**
 * The backend of this runtime.
 *
 * @throws {SluiceError} `SLUICE_UNSUPPORTED_PLATFORM` if it is none of the three.
 */
export function detectBackend(): Backend {
  const backend = bunBackend() ?? denoBackend() ?? nodeBackend();
  if (backend !== undefined) return backend;
  const here = nodeWithoutFfi() ??
    "this is another runtime, without bun:ffi, Deno.dlopen and node:ffi";
  throw new SluiceError(
    "SLUICE_UNSUPPORTED_PLATFORM",
    `sluice needs Bun, Deno or Node.js 26.9 and later: ${here}`,
  );
}

/**
 * Loads the first candidate that exists. One that is made for another C library does not end the search, and neither does
 * one of which there is a copy. (Of what is refused in every folder no further copy is made.) Any other that cannot be
 * loaded does, but a platform package leaves those of a bundle: it may only be near the bundle. Exported for tests, use
 * {@linkcode library} instead.
 */
export function load(
  backend: Backend,
  search: Search = candidates(backend),
): Library {
  const tried: Candidate[] = [];
  const denied: Candidate[] = [];
  const refused: Refusal[] = [];
  let inPackage: SluiceError | undefined;
  const steps = search[Symbol.iterator]();
  let isLastCopy = false;
  for (let step = steps.next(); step.done !== true; step = steps.next(isLastCopy)) {
    const candidate = step.value;
    isLastCopy = false;
    if (inPackage !== undefined && candidate.origin !== "bundle") continue;
    if (candidate.fault !== undefined) {
      refused.push({ candidate, reason: candidate.fault, cause: undefined });
      continue;
    }
    if (!backend.permits(candidate.path)) {
      denied.push(candidate);
      continue;
    }
    try {
      checkHash(backend, candidate);
      return open(backend, candidate);
    } catch (cause) {
      const { path, origin, libc, hasCopy = false } = candidate;
      if (cause instanceof SluiceError) {
        if (origin !== "platform package") throw cause;
        inPackage = cause;
        continue;
      }
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (origin !== "executable" && isMissing(path, reason, backend.exists(path))) {
        tried.push(candidate);
        continue;
      }
      refused.push({ candidate, reason, cause });
      isLastCopy = isRefusedEverywhere(path, reason, libc);
      const isForOther = libc !== undefined && libc !== systemOf(reason);
      if (isForOther || hasCopy) continue;
      if (origin !== "platform package") throw notLoaded(refused, backend);
      inPackage = notLoaded(refused, backend);
    }
  }
  if (inPackage !== undefined) throw inPackage;
  if (denied.length > 0) throw ffiDenied(denied, backend);
  throw refused.length > 0 ? notLoaded(refused, backend) : notFound(tried, backend);
}

function open(backend: Backend, candidate: Candidate): Library {
  return {
    path: candidate.path,
    origin: candidate.origin,
    runtime: backend.runtime,
    isArrayCheap: backend.isArrayCheap,
    shortUnits: backend.shortUnits,
    writeAt: backend.writeAt,
    unitsOf: backend.unitsOf,
    native: foundWhenAsked(symbols, (name) => lookUp(backend, candidate, name)),
  };
}

/**
 * An object with the functions of `table`, each looked up once by `find`. It has getters and not fields that are set
 * later, so that its shape never changes and each call site sees one function, which keeps calls fast in both engines.
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

function lookUp<K extends keyof Native>(
  backend: Backend,
  candidate: Candidate,
  name: K,
): Native[K] {
  try {
    return backend.open<SymbolTable>(candidate.path, { [name]: symbols[name] })[name] as Native[K];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw notLoaded([{ candidate, reason, cause }], backend);
  }
}

/**
 * Compares the hashes before any other lookup, so that an old library is reported as such, and not as a missing symbol.
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

function lastDetails(): ReturnType<typeof detailsOf> {
  const numbers = new Float64Array(new ArrayBuffer(8 * ERROR_DETAILS));
  native().sluice_library_last_error_detail(numbers, ERROR_DETAILS);
  return detailsOf(numbers);
}

function hex(hash: number): string {
  return `0x${(hash >>> 0).toString(16).padStart(8, "0")}`;
}
