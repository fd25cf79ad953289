/**
 * Reads the directories of exports and imports of a PE library, which is a DLL of Windows.
 *
 * @module
 */
import type { Facts, LibraryFile } from "./facts.ts";

const CPUS: Readonly<Record<number, string>> = { 0x8664: "x64", 0xaa64: "arm64" };

interface Section {
  readonly address: number;
  readonly size: number;
  readonly offset: number;
}

/** Numbers of directories. */
const DIRECTORY = { exports: 0, imports: 1, delayedImports: 13 } as const;

export function readPe(file: LibraryFile): Facts {
  const header = file.u32(0x3c);
  if (file.u32(header) !== 0x4550) throw new RangeError("a program of DOS, but no PE");
  if ((file.u16(header + 22) & 0x2000) === 0) throw new RangeError("PE, but not a DLL");
  const optional = header + 24;
  if (file.u16(optional) !== 0x20b) throw new RangeError("PE, but not of 64 bits");
  const sections = readSections(file, optional + file.u16(header + 20), file.u16(header + 6));
  const place = (address: number) => offsetOf(sections, address);
  const directory = (number: number) =>
    number < file.u32(optional + 108) ? file.u32(optional + 112 + number * 8) : 0;
  const exports = directory(DIRECTORY.exports);
  return {
    format: "PE",
    cpu: CPUS[file.u16(header + 4)] ?? `machine 0x${file.u16(header + 4).toString(16)}`,
    exports: exports === 0 ? [] : readExports(file, place(exports), place),
    needed: [
      ...readNames(file, directory(DIRECTORY.imports), place, 20, 12),
      ...readNames(file, directory(DIRECTORY.delayedImports), place, 32, 4),
    ],
    searched: [],
    versions: [],
    traits: [],
  };
}

function readSections(file: LibraryFile, start: number, length: number): Section[] {
  return Array.from({ length }, (_, i) => {
    const at = start + i * 40;
    const size = Math.max(file.u32(at + 8), file.u32(at + 16));
    return { address: file.u32(at + 12), size, offset: file.u32(at + 20) };
  });
}

/** Where in the file the loader would find a relative virtual address. */
function offsetOf(sections: readonly Section[], address: number): number {
  for (const { address: start, size, offset } of sections) {
    if (address >= start && address < start + size) return address - start + offset;
  }
  throw new RangeError(`address 0x${address.toString(16)} is in no section`);
}

function readExports(file: LibraryFile, at: number, place: (address: number) => number): string[] {
  const names = place(file.u32(at + 32));
  const length = file.u32(at + 24);
  return Array.from({ length }, (_, i) => file.text(place(file.u32(names + i * 4)))).sort();
}

/** The names of libraries in a table that ends with an empty row. */
function readNames(
  file: LibraryFile,
  table: number,
  place: (address: number) => number,
  row: number,
  field: number,
): string[] {
  const names: string[] = [];
  if (table === 0) return names;
  for (let at = place(table); file.u32(at + field) !== 0; at += row) {
    names.push(file.text(place(file.u32(at + field))));
  }
  return names;
}
