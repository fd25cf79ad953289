/**
 * Cuts a text that arrives in batches where the tokens of the pieces, joined, are the tokens of the whole.
 *
 * @module
 */
import type { Cutter } from "../../tokenizer/cut.ts";
import type { TextBatch } from "../sources/source.ts";

/** There is no place to cut the text, and it does not fit into memory. */
export class UncutText extends Error {
  override readonly name = "UncutText";
}

/**
 * The pieces of a text. Each is valid until the next is asked for.
 *
 * @param limit The most bytes that are kept.
 * @throws {UncutText}
 */
export async function* textPieces(
  batches: AsyncIterable<TextBatch>,
  cutter: Cutter,
  limit: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let kept: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Searching a long word for a cut encodes it, so it is done at lengths that double. */
  let searchAt = 0;
  for await (const { bytes, isLast } of batches) {
    const searched = kept.length;
    const text = searched === 0 ? bytes : joined(kept, bytes);
    let cut = isLast ? text.length : cutter.lastCut(text, searched, text.length);
    if (cut === 0 && text.length >= searchAt) {
      cut = cutter.cutWithin?.(text) ?? 0;
      searchAt = cut === 0 ? 2 * text.length : 0;
    }
    if (cut === 0 && text.length > limit) {
      throw new UncutText(`there is no place to cut within ${text.length} bytes`);
    }
    if (cut > 0) {
      const piece = text.subarray(0, cut);
      if (cutter.agrees?.(piece) === false) {
        throw new UncutText("the place to cut before it was wrong");
      }
      yield piece;
    }
    kept = text.slice(cut);
  }
}

function joined(
  a: Uint8Array<ArrayBuffer>,
  b: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
