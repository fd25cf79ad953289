/**
 * Reads what a shared library says of itself, in the three formats: ELF, Mach-O and PE. Only 64-bit little-endian files
 * are read, because all targets are.
 *
 * @module
 */
import { readElf } from "./elf.ts";
import { type Facts, LibraryFile } from "./facts.ts";
import { readMachO } from "./mach_o.ts";
import { readPe } from "./pe.ts";

/** Reads a library. Throws a RangeError if it is none, or is damaged. */
export function readFacts(bytes: Uint8Array): Facts {
  const file = new LibraryFile(bytes);
  if (bytes.length < 64) throw new RangeError(`not a library: it has ${bytes.length} bytes`);
  const magic = file.u32(0);
  if (magic === 0x464c457f) return readElf(file);
  if (magic === 0xfeedfacf) return readMachO(file);
  if (file.u16(0) === 0x5a4d) return readPe(file);
  throw new RangeError(`not a 64-bit library: it begins with 0x${magic.toString(16)}`);
}
