/**
 * The backend for Node.js, an adapter of its built-in `node:ffi`, which Node calls experimental. No Node-API.
 *
 * @module
 */
import type { Backend, Executable, Functions, ReturnType, SymbolTable } from "./native.ts";
import { type CallSource, callsThrough, type MakeCall } from "./node_calls.ts";

/** The parts of `node:ffi` that this file uses, declared here because the types of Bun and Deno lack them. */
interface NodeFfi extends Pick<CallSource, "toArrayBuffer" | "getRawPointer"> {
  readonly DynamicLibrary: new (path: string) => DynamicLibrary;
}

interface DynamicLibrary {
  getFunctions(
    definitions: Record<string, { arguments: readonly string[]; return: string }>,
  ): Record<string, () => number>;
  /** The address of a function. Throws if there is none of that name. */
  getSymbol(name: string): bigint;
}

/** The parts of `node:sea` that this file uses. */
interface NodeSea {
  isSea(): boolean;
  getAssetKeys(): string[];
  getRawAsset(name: string): ArrayBuffer;
}

/** The parts of Node's `process` that this file uses. */
interface NodeProcess {
  readonly release: { readonly name?: string };
  readonly version: string;
  readonly platform: string;
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: { readonly variables: { readonly node_use_ffi?: boolean } };
  /** Only with `--permission`. */
  readonly permission?: { has(scope: string, reference?: string): boolean };
  getBuiltinModule?(name: "node:ffi"): NodeFfi | undefined;
  getBuiltinModule?(name: "node:buffer"): typeof import("node:buffer");
  getBuiltinModule?(name: "node:fs"): typeof import("node:fs");
  getBuiltinModule?(name: "node:module"): typeof import("node:module");
  getBuiltinModule?(name: "node:sea"): NodeSea | undefined;
  getBuiltinModule?(name: "node:url"): typeof import("node:url");
}

/** The backend, or undefined outside Node and in a Node without `node:ffi`. */
export function nodeBackend(): Backend | undefined {
  const process = nodeProcess();
  // The first use of the module prints Node's ExperimentalWarning, so it is asked for once a library is opened.
  if (process === undefined || !hasFfi(process)) return undefined;
  const utf8Write = utf8WriteOf(process.getBuiltinModule!("node:buffer").Buffer.prototype);
  return {
    runtime: `Node.js ${process.version.slice(1)}`,
    platform: `${process.platform}-${process.arch}`,
    pathOf: (url) => process.getBuiltinModule!("node:url").fileURLToPath(url),
    open<T extends SymbolTable>(path: string, table: T): Functions<T> {
      const { direct, through } = libraryAt(path, process);
      const functions = Object.entries(table).map(([name, { args, returns }]) =>
        [name, args.length === 0 ? direct(name, returns) : through(name, args)] as const
      );
      return Object.fromEntries(functions) as Functions<T>;
    },
    permits: () => process.permission?.has("ffi") ?? true,
    // Node has no list of permitted libraries.
    permissionFor: () => "--allow-ffi",
    exists(path) {
      if (process.permission?.has("fs.read", path) === false) return undefined;
      return process.getBuiltinModule!("node:fs").existsSync(path);
    },
    environment: (name) => process.env[name],
    executable: executable(process),
    isArrayCheap: false,
    shortUnits: 24,
    writeAt: (bytes, text, offset) => utf8Write.call(bytes, text, offset),
  };
}

/** What a Node without `node:ffi` lacks, or undefined outside Node. */
export function nodeWithoutFfi(): string | undefined {
  const process = nodeProcess();
  if (process === undefined) return undefined;
  return whyNoFfi(process.version, process.config.variables.node_use_ffi !== false);
}

/** Why a Node of this version has no `node:ffi`, and what to do. */
export function whyNoFfi(version: string, isBuiltWithFfi: boolean): string {
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  const here = `this is Node.js ${version.slice(1)}`;
  if (major < 26) return `${here}, which has no node:ffi`;
  if (!isBuiltWithFfi) return `${here}, which was built without node:ffi`;
  if (major === 26 && minor < 9) {
    return `${here}, whose node:ffi is off: start it with --experimental-ffi`;
  }
  return `${here}, whose node:ffi was turned off: start it without --no-experimental-ffi`;
}

function nodeProcess(): NodeProcess | undefined {
  const { Bun, Deno, process } = globalThis as {
    Bun?: unknown;
    Deno?: unknown;
    process?: NodeProcess;
  };
  // The others have a `process` with Node's name as well.
  if (Bun !== undefined || Deno !== undefined) return undefined;
  return process?.release?.name === "node" ? process : undefined;
}

function executable(process: NodeProcess): Executable | undefined {
  const sea = process.getBuiltinModule!("node:sea");
  if (sea?.isSea() !== true) return undefined;
  return {
    asset: (name) =>
      sea.getAssetKeys().includes(name) ? new Uint8Array(sea.getRawAsset(name)) : undefined,
  };
}

/** Whether there is a `node:ffi`, without loading it. */
function hasFfi(process: NodeProcess): boolean {
  return process.getBuiltinModule?.("node:module").isBuiltin("node:ffi") ?? false;
}

type Utf8Write = (this: Uint8Array, text: string, offset: number) => number;

/** A method of `Buffer` that its types lack. Its receiver may be any `Uint8Array`. */
function utf8WriteOf(prototype: object): Utf8Write {
  return (prototype as { utf8Write: Utf8Write }).utf8Write;
}

/** The functions of a library: without parameters, and with parameters through its call block. */
interface Calls {
  direct(name: string, returns: ReturnType): () => number;
  through: MakeCall;
}

/** Never closed: a call into a closed library throws, and a collected library could end the process. */
const libraries = new Map<string, Calls>();

function libraryAt(path: string, process: NodeProcess): Calls {
  let calls = libraries.get(path);
  if (calls === undefined) {
    libraries.set(path, calls = callsOf(path, process.getBuiltinModule!("node:ffi")!));
  }
  return calls;
}

function callsOf(path: string, { DynamicLibrary, toArrayBuffer, getRawPointer }: NodeFfi): Calls {
  const library = new DynamicLibrary(path);
  const direct: Calls["direct"] = (name, returns) =>
    library.getFunctions({ [name]: { arguments: [], return: returns } })[name]!;
  let through: MakeCall | undefined;
  return {
    direct,
    through(name, args) {
      library.getSymbol(name);
      // The block is asked for after the ABI hash was compared.
      through ??= callsThrough({
        sluice_call_block: direct("sluice_call_block", "f64"),
        sluice_call_run: direct("sluice_call_run", "f64"),
        toArrayBuffer,
        getRawPointer,
      });
      return through(name, args);
    },
  };
}
