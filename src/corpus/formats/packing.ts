/**
 * Packing: documents one after the other in rows of a fixed number of ids.
 *
 * Rows are other ends over the same ids, so nothing is copied. The remainder of a shard is a shorter last row, or is
 * filled up; it is never dropped.
 *
 * @module
 */
import type { Block, Format, FormatOptions, FormatWriter, WrittenFile } from "./format.ts";

/** A format whose writer packs if its options say so. */
export function packed(format: Format): Format {
  return {
    ...format,
    open: async (pathOf, options) => {
      if (!options.pack) return format.open(pathOf, options);
      checkPack(options);
      return new PackingWriter(await format.open(pathOf, { ...options, names: false }), options);
    },
  };
}

function checkPack({ pack, dtype }: FormatOptions): void {
  const { length, pad } = pack!;
  if (!Number.isInteger(length) || length < 1 || length >= 2 ** 31) {
    throw new RangeError(`a row of ${length} ids is not from 1 to 2147483647 ids long`);
  }
  const widest = dtype === "u16" ? 0xffff : 0xffff_ffff;
  if (pad !== null && (!Number.isInteger(pad) || pad < 0 || pad > widest)) {
    throw new RangeError(`the id ${pad} does not fit ${dtype}`);
  }
}

class PackingWriter implements FormatWriter {
  readonly #writer: FormatWriter;
  readonly #length: number;
  readonly #pad: number | null;
  readonly #Ids: typeof Uint16Array | typeof Uint32Array;
  /** How many ids the last row has; less than a whole row. */
  #used = 0;

  constructor(writer: FormatWriter, { pack, dtype }: FormatOptions) {
    this.#writer = writer;
    this.#length = pack!.length;
    this.#pad = pack!.pad;
    this.#Ids = dtype === "u16" ? Uint16Array : Uint32Array;
  }

  async write({ ids }: Block): Promise<void> {
    const length = this.#length;
    const all = this.#used + ids.length;
    const ends = new Uint32Array(Math.floor(all / length));
    for (let i = 0, end = length - this.#used; i < ends.length; i++, end += length) ends[i] = end;
    await this.#writer.write({ ids, ends });
    this.#used = all % length;
  }

  async finish(): Promise<readonly WrittenFile[]> {
    if (this.#used > 0) await this.#writer.write(this.#remainder());
    return this.#writer.finish();
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }

  #remainder(): Block {
    if (this.#pad === null) return { ids: new this.#Ids(0), ends: new Uint32Array([0]) };
    const missing = this.#length - this.#used;
    return {
      ids: new this.#Ids(missing).fill(this.#pad),
      ends: new Uint32Array([missing]),
    };
  }
}

/** How many rows ids take, and how many ids of padding. */
export function rowsOf(
  tokens: number,
  { length, pad }: NonNullable<FormatOptions["pack"]>,
): { readonly rows: number; readonly padding: number } {
  const rows = Math.ceil(tokens / length);
  return { rows, padding: pad === null ? 0 : rows * length - tokens };
}
