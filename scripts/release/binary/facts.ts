/**
 * What a shared library says of itself, and its bytes as a reader sees them.
 *
 * @module
 */

/** What a shared library says of itself. */
export interface Facts {
  readonly format: "ELF" | "Mach-O" | "PE";
  /** Node's name of the processor, or the number that the file has. */
  readonly cpu: string;
  /** Names that others can use, sorted. Mach-O's leading underscore is left out. */
  readonly exports: readonly string[];
  /** The libraries that it needs, as it names them. */
  readonly needed: readonly string[];
  /** Folders of its own in which the loader searches: an rpath. */
  readonly searched: readonly string[];
  /** Versions of symbols that it needs, such as `GLIBC_2.17`, by ELF. */
  readonly versions: readonly string[];
  /** The name that a program linked with it will ask for: soname, or Mach-O's install name. */
  readonly ownName?: string;
  /** The oldest macOS that takes it, such as `11.0`. */
  readonly macos?: string;
  /** Properties of the file that are true of it. */
  readonly traits: readonly Trait[];
}

/**
 * `nodelete`: stays in memory when it is closed. `signed`: has a code signature. `text relocations` and `executable
 * stack`: the kernel may refuse it. `64 KiB pages`: segments lie so that kernels with such pages can map it. `another
 * platform`: a system of Apple that is not macOS.
 */
export type Trait =
  | "nodelete"
  | "signed"
  | "text relocations"
  | "executable stack"
  | "64 KiB pages"
  | "another platform";

/** The bytes of a library, read little-endian. Reading outside of it throws a RangeError. */
export class LibraryFile {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** Offsets and addresses in libraries are far below 2^53. */
  u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }

  /** The text up to the next zero byte. */
  text(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    if (end < 0) throw new RangeError(`no end of the text at ${at}`);
    return new TextDecoder().decode(this.#bytes.subarray(at, end));
  }
}
