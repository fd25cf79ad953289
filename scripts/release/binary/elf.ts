/**
 * Reads the dynamic section of an ELF library, as the loader does, by its program headers.
 *
 * @module
 */
import type { Facts, LibraryFile, Trait } from "./facts.ts";

const CPUS: Readonly<Record<number, string>> = { 62: "x64", 183: "arm64" };

const SEGMENT = { load: 1, dynamic: 2, stack: 0x6474e551 } as const;
/** Tags of entries in the dynamic section. */
const TAG = {
  needed: 1,
  strings: 5,
  symbols: 6,
  soname: 14,
  rpath: 15,
  textRelocations: 22,
  runpath: 29,
  flags: 30,
  flags1: 0x6ffffffb,
  gnuHash: 0x6ffffef5,
  hash: 4,
  needs: 0x6ffffffe,
} as const;

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
  readonly align: number;
}

export function readElf(file: LibraryFile): Facts {
  if (file.u8(4) !== 2 || file.u8(5) !== 1) throw new RangeError("not a 64-bit little-endian ELF");
  if (file.u16(16) !== 3) throw new RangeError("ELF, but not a shared library");
  const segments = readSegments(file);
  const dynamic = segments.find(({ type }) => type === SEGMENT.dynamic);
  if (dynamic === undefined) throw new RangeError("ELF without a dynamic section");
  const entries = readEntries(file, dynamic);
  const one = (tag: number) => entries.find(([key]) => key === tag)?.[1];
  const place = (address: number) => offsetOf(segments, address);
  const strings = place(one(TAG.strings) ?? 0);
  const texts = (tag: number) =>
    entries.filter(([key]) => key === tag).map(([, value]) => file.text(strings + value));
  const soname = texts(TAG.soname)[0];
  const needs = one(TAG.needs);
  return {
    format: "ELF",
    cpu: CPUS[file.u16(18)] ?? `machine ${file.u16(18)}`,
    exports: readExports(file, entries, place, strings),
    needed: texts(TAG.needed),
    searched: [...texts(TAG.rpath), ...texts(TAG.runpath)],
    versions: needs === undefined ? [] : readVersions(file, place(needs), strings),
    ...(soname === undefined ? {} : { ownName: soname }),
    traits: traitsOf(segments, entries),
  };
}

function readSegments(file: LibraryFile): Segment[] {
  const start = file.u64(32);
  const length = file.u16(54);
  return Array.from({ length: file.u16(56) }, (_, i) => {
    const at = start + i * length;
    return {
      type: file.u32(at),
      flags: file.u32(at + 4),
      offset: file.u64(at + 8),
      address: file.u64(at + 16),
      size: file.u64(at + 32),
      align: file.u64(at + 48),
    };
  });
}

function readEntries(file: LibraryFile, { offset, size }: Segment): [tag: number, value: number][] {
  const entries: [number, number][] = [];
  for (let at = offset; at < offset + size && file.u64(at) !== 0; at += 16) {
    entries.push([file.u64(at), file.u64(at + 8)]);
  }
  return entries;
}

/** Where in the file the loader would find an address. */
function offsetOf(segments: readonly Segment[], address: number): number {
  for (const { type, offset, address: start, size } of segments) {
    if (type === SEGMENT.load && address >= start && address < start + size) {
      return address - start + offset;
    }
  }
  throw new RangeError(`address 0x${address.toString(16)} is in no segment`);
}

/** Symbols that are defined here, global or weak, and not hidden. */
function readExports(
  file: LibraryFile,
  entries: readonly (readonly [number, number])[],
  place: (address: number) => number,
  strings: number,
): string[] {
  const one = (tag: number) => entries.find(([key]) => key === tag)?.[1];
  const table = place(one(TAG.symbols) ?? 0);
  const [gnuHash, hash] = [one(TAG.gnuHash), one(TAG.hash)];
  const count = gnuHash !== undefined
    ? countOfGnuHash(file, place(gnuHash))
    : file.u32(place(hash ?? 0) + 4);
  const names: string[] = [];
  for (let i = 1; i < count; i++) {
    const at = table + i * 24;
    const [binding, visibility] = [file.u8(at + 4) >> 4, file.u8(at + 5) & 3];
    const isDefined = file.u16(at + 6) !== 0;
    if (isDefined && binding !== 0 && (visibility === 0 || visibility === 3)) {
      names.push(file.text(strings + file.u32(at)));
    }
  }
  return names.sort();
}

/** The GNU hash table does not say how many symbols there are: the last chain ends with the last one. */
function countOfGnuHash(file: LibraryFile, at: number): number {
  const [buckets, first, words] = [file.u32(at), file.u32(at + 4), file.u32(at + 8)];
  const start = at + 16 + words * 8;
  let last = 0;
  for (let i = 0; i < buckets; i++) last = Math.max(last, file.u32(start + i * 4));
  if (last < first) return first;
  const chains = start + buckets * 4;
  while ((file.u32(chains + (last - first) * 4) & 1) === 0) last++;
  return last + 1;
}

/** Versions by the library that has them: a list of lists, each linked by offsets. */
function readVersions(file: LibraryFile, first: number, strings: number): string[] {
  const versions: string[] = [];
  for (let at = first;;) {
    let version = at + file.u32(at + 8);
    for (let i = 0; i < file.u16(at + 2); i++) {
      versions.push(file.text(strings + file.u32(version + 8)));
      version += file.u32(version + 12);
    }
    const next = file.u32(at + 12);
    if (next === 0) return versions.sort();
    at += next;
  }
}

function traitsOf(
  segments: readonly Segment[],
  entries: readonly (readonly [number, number])[],
): Trait[] {
  const traits: Trait[] = [];
  const has = (tag: number, bit: number) =>
    entries.some(([key, value]) => key === tag && (value & bit) !== 0);
  if (has(TAG.flags1, 8)) traits.push("nodelete");
  if (has(TAG.flags, 4) || entries.some(([key]) => key === TAG.textRelocations)) {
    traits.push("text relocations");
  }
  const stack = segments.find(({ type }) => type === SEGMENT.stack);
  // Without this header the kernel makes the stack executable.
  if (stack === undefined || (stack.flags & 1) !== 0) traits.push("executable stack");
  const loads = segments.filter(({ type }) => type === SEGMENT.load);
  if (loads.every(({ align }) => align >= 0x10000)) traits.push("64 KiB pages");
  return traits;
}
