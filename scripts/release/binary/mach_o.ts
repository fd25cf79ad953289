/**
 * Reads the load commands of a Mach-O library, and its exports from the trie that the loader searches.
 *
 * @module
 */
import type { Facts, LibraryFile, Trait } from "./facts.ts";

const CPUS: Readonly<Record<number, string>> = { 0x01000007: "x64", 0x0100000c: "arm64" };

const COMMAND = {
  needed: [0xc, 0x80000018, 0x8000001f, 0x20, 0x80000023],
  ownName: 0xd,
  rpath: 0x8000001c,
  signature: 0x1d,
  oldMacos: 0x24,
  platform: 0x32,
  info: [0x22, 0x80000022],
  exports: 0x80000033,
} as const;

/** The number of the platform: 2 is iOS, and so on. */
const MACOS = 1;

interface Command {
  readonly id: number;
  readonly at: number;
}

export function readMachO(file: LibraryFile): Facts {
  if (file.u32(12) !== 6) throw new RangeError("Mach-O, but not a shared library");
  const commands = readCommands(file);
  const named = (ids: readonly number[]) =>
    commands.filter(({ id }) => ids.includes(id)).map(({ at }) => file.text(at + file.u32(at + 8)));
  const ownName = named([COMMAND.ownName])[0];
  const macos = readMacos(file, commands);
  const traits: Trait[] = commands.some(({ id }) => id === COMMAND.signature) ? ["signed"] : [];
  const isForMacos = ({ id, at }: Command) => id !== COMMAND.platform || file.u32(at + 8) === MACOS;
  if (!commands.every(isForMacos)) traits.push("another platform");
  return {
    format: "Mach-O",
    cpu: CPUS[file.u32(4)] ?? `processor 0x${file.u32(4).toString(16)}`,
    exports: readExports(file, commands),
    needed: named(COMMAND.needed),
    searched: named([COMMAND.rpath]),
    versions: [],
    ...(ownName === undefined ? {} : { ownName }),
    ...(macos === undefined ? {} : { macos }),
    traits,
  };
}

function readCommands(file: LibraryFile): Command[] {
  const commands: Command[] = [];
  let at = 32;
  for (let i = 0; i < file.u32(16); i++) {
    commands.push({ id: file.u32(at), at });
    const size = file.u32(at + 4);
    if (size < 8) throw new RangeError(`load command ${i} has ${size} bytes`);
    at += size;
  }
  return commands;
}

/** The oldest macOS, packed as `major << 16 | minor << 8 | patch`. */
function readMacos(file: LibraryFile, commands: readonly Command[]): string | undefined {
  for (const { id, at } of commands) {
    const packed = id === COMMAND.platform
      ? file.u32(at + 12)
      : id === COMMAND.oldMacos
      ? file.u32(at + 8)
      : undefined;
    if (packed !== undefined) return `${packed >>> 16}.${(packed >>> 8) & 0xff}`;
  }
  return undefined;
}

function readExports(file: LibraryFile, commands: readonly Command[]): string[] {
  for (const { id, at } of commands) {
    const field = id === COMMAND.exports
      ? at + 8
      : (COMMAND.info as readonly number[]).includes(id)
      ? at + 40
      : 0;
    if (field !== 0 && file.u32(field + 4) > 0) return readTrie(file, file.u32(field)).sort();
  }
  return [];
}

/** A node has the size of what it exports, that data, and its children: the text of an edge, and a node's offset. */
function readTrie(file: LibraryFile, start: number): string[] {
  const names: string[] = [];
  const seen = new Set<number>();
  const open: [offset: number, prefix: string][] = [[0, ""]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [offset, prefix] = next;
    if (seen.has(offset)) throw new RangeError("the trie of exports has a cycle");
    seen.add(offset);
    const [size, data] = readUleb(file, start + offset);
    if (size > 0) names.push(prefix.replace(/^_/, ""));
    let at = data + size;
    const children = file.u8(at++);
    for (let i = 0; i < children; i++) {
      const edge = file.text(at);
      const [child, after] = readUleb(file, at + edge.length + 1);
      open.push([child, prefix + edge]);
      at = after;
    }
  }
  return names;
}

/** A number in groups of seven bits, the lowest first. Returns it and where it ends. */
function readUleb(file: LibraryFile, start: number): [value: number, end: number] {
  let [value, scale, at] = [0, 1, start];
  for (;;) {
    const byte = file.u8(at++);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at];
    scale *= 128;
  }
}
