/**
 * JSON Lines: `{"ids":[…]}` for each document, with `"id"` behind the ids if documents have identifiers.
 *
 * @module
 */
import { ID_BYTES, writeIds } from "./decimal.ts";
import type { Block, Format, FormatOptions, FormatWriter, WrittenFile } from "./format.ts";
import { HashedFile } from "./hashed_file.ts";
import { checkBlock, type IdArray } from "./id_array.ts";
import { countLines, readJsonLine } from "./jsonl_read.ts";

/** Lines are gathered in a buffer of this size. */
const BUFFERED = 1 << 18;

/** Ids are written in pieces of this number. */
const PIECE = 1 << 14;

const SUFFIX = ".jsonl";
const BEGIN = new TextEncoder().encode('{"ids":[');
const END = new TextEncoder().encode("]}\n");

/** One file of lines. The identifier comes last, as it may be known only at the end of a document. */
export const jsonl: Format = {
  name: "jsonl",
  suffixes: [SUFFIX],
  defaultEos: "none",
  open: (pathOf, options) => Promise.resolve(new JsonlWriter(pathOf(SUFFIX), options)),
  read: (pathOf, n, { dtype }) => readJsonLine(pathOf(SUFFIX), n, dtype),
  count: async (pathOf) => ({ documents: await countLines(pathOf(SUFFIX)), ids: undefined }),
};

class JsonlWriter implements FormatWriter {
  readonly #file: HashedFile;
  readonly #options: FormatOptions;
  readonly #buffer = new Uint8Array(BUFFERED);
  #used = 0;
  /** Whether a line is begun, and whether it has ids. */
  #isOpen = false;
  #hasIds = false;

  constructor(path: string, options: FormatOptions) {
    this.#file = new HashedFile(path);
    this.#options = options;
  }

  // deno-lint-ignore require-await -- a failure is a rejection
  async write(block: Block): Promise<void> {
    checkBlock(block, this.#options.dtype);
    const { ids, ends, names } = block;
    let begin = 0;
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i]!;
      this.#ids(ids, begin, end);
      this.#end(names?.[i]);
      begin = end;
    }
    if (begin < ids.length) this.#ids(ids, begin, ids.length);
  }

  async finish(): Promise<readonly WrittenFile[]> {
    this.#flush();
    return [{ suffix: SUFFIX, ...await this.#file.finish() }];
  }

  abort(): Promise<void> {
    return this.#file.close();
  }

  #ids(ids: IdArray, begin: number, end: number): void {
    if (!this.#isOpen) this.#bytes(BEGIN);
    this.#isOpen = true;
    for (let from = begin; from < end; from += PIECE) {
      const to = Math.min(end, from + PIECE);
      this.#reserve(ID_BYTES * (to - from));
      this.#used = writeIds(this.#buffer, this.#used, ids, from, to, this.#hasIds);
      this.#hasIds = true;
    }
  }

  #end(name: string | undefined): void {
    this.#bytes(this.#options.names ? nameEnd(name) : END);
    this.#isOpen = false;
    this.#hasIds = false;
  }

  #bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    // A name can be longer than the buffer.
    if (bytes.length > BUFFERED) return this.#file.write(bytes);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #reserve(bytes: number): void {
    if (bytes > BUFFERED - this.#used) this.#flush();
  }

  #flush(): void {
    this.#file.write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

function nameEnd(name: string | undefined): Uint8Array {
  return new TextEncoder().encode(`],"id":${JSON.stringify(name ?? null)}}\n`);
}
