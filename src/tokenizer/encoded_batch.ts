/**
 * The ids of many texts in one array, with the offset of each text (compressed sparse rows).
 *
 * @module
 */

/** The ids of a batch of texts. Iterates over the ids of each text, as views of {@linkcode EncodedBatch.ids}. */
export class EncodedBatch implements Iterable<Uint32Array<ArrayBuffer>> {
  /** The ids of all texts, one text after the other. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** One number more than there are texts: text `i` is `ids.subarray(offsets[i], offsets[i + 1])`. */
  readonly offsets: Uint32Array<ArrayBuffer>;

  /** @ignore Use {@linkcode Tokenizer.encodeBatch}. */
  constructor(ids: Uint32Array<ArrayBuffer>, offsets: Uint32Array<ArrayBuffer>) {
    this.ids = ids;
    this.offsets = offsets;
  }

  /** The number of texts. */
  get length(): number {
    return this.offsets.length - 1;
  }

  /** The ids of one text, as a view. A negative index counts from the end; undefined outside of the batch. */
  at(index: number): Uint32Array<ArrayBuffer> | undefined {
    const i = index < 0 ? index + this.length : index;
    const [start, end] = [this.offsets[i], this.offsets[i + 1]];
    return start === undefined || end === undefined ? undefined : this.ids.subarray(start, end);
  }

  /** The ids of each text in order, as views. */
  *[Symbol.iterator](): Generator<Uint32Array<ArrayBuffer>, undefined, undefined> {
    const { ids, offsets, length } = this;
    for (let i = 0; i < length; i++) yield ids.subarray(offsets[i], offsets[i + 1]);
  }
}
