/**
 * The encode stage of text files: a file is one document, which arrives in pieces.
 *
 * @module
 */
import { SluiceError } from "../../errors.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { LineReason } from "../../tokenizer/line_types.ts";
import { TokenCutter } from "../../tokenizer/word_cut.ts";
import type { Block } from "../formats/format.ts";
import type { PlanOptions } from "../plan/plan_types.ts";
import type { TextBatch } from "../sources/source.ts";
import { textPieces, UncutText } from "./text_pieces.ts";
import type { Totals } from "./totals.ts";

/** A text file is not a document. If ids of it have been given out already, the unit begins again without it. */
export class BadText extends Error {
  override readonly name = "BadText";
  readonly reason: LineReason;

  constructor(reason: LineReason) {
    super(reason);
    this.reason = reason;
  }
}

const NO_ENDS = new Uint32Array(0);

/**
 * The blocks of a document.
 *
 * @param tokenizer It must read special tokens as the options say.
 * @throws {BadText}
 */
export async function* encodeText(
  batches: AsyncIterable<TextBatch>,
  name: string | undefined,
  tokenizer: Tokenizer,
  { eos, dtype, memory }: PlanOptions,
  totals: Totals,
): AsyncGenerator<Block> {
  let count = 0;
  const block = (ids: Uint32Array<ArrayBuffer>): Block => {
    count += ids.length;
    let { maxId } = totals;
    for (let i = 0; i < ids.length; i++) if (ids[i]! > maxId) maxId = ids[i]!;
    totals.maxId = maxId;
    return { ids: dtype === "u16" ? Uint16Array.from(ids) : ids, ends: NO_ENDS };
  };
  const endToken = Uint32Array.of(...eos === null ? [] : [eos.id]);
  let isBegun = eos?.at !== "prepend";
  try {
    for await (const piece of textPieces(batches, new TokenCutter(tokenizer), memory)) {
      const ids = tokenizer.encode(piece);
      // Nothing is given out of a text that is refused at its first piece.
      if (!isBegun) yield block(endToken);
      isBegun = true;
      yield block(ids);
    }
  } catch (error) {
    throw badText(error);
  }
  if (!isBegun) yield block(endToken);
  const last = block(eos?.at === "append" ? endToken : new Uint32Array(0));
  yield {
    ...last,
    ends: Uint32Array.of(last.ids.length),
    ...name === undefined ? {} : { names: [name] },
  };
  totals.lines++;
  totals.documents++;
  totals.tokens += count;
  if (count === endToken.length) totals.empty++;
}

function badText(error: unknown): unknown {
  if (error instanceof UncutText) return new BadText("too-long");
  if (!(error instanceof SluiceError)) return error;
  if (error.code === "SLUICE_INVALID_UTF8") return new BadText("not-utf8");
  if (error.code === "SLUICE_SPECIAL_TOKEN") return new BadText("special-token");
  return error;
}
