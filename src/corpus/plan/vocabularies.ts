/**
 * A table of vocabularies: their sizes, end tokens and hashes.
 *
 * @module
 */
import type { EncodingName } from "../../tokenizer/encodings.ts";

/** What the files of a corpus depend on. */
export interface Vocabulary {
  /**
   * SHA-256 of the vocabulary as a `.tiktoken` file, a line of base64 and id for each token. tiktoken checks its
   * downloads against the same values.
   */
  readonly sha256: string;
  /** The id of `<|endoftext|>`. */
  readonly endOfText: number;
  /** The greatest id, special tokens included, and one. */
  readonly size: number;
}

const R50K = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930";
const P50K = "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069";
const CL100K = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7";
const O200K = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d";

/** The vocabulary of each encoding. */
export const VOCABULARIES: Readonly<Record<EncodingName, Vocabulary>> = {
  r50k_base: { sha256: R50K, endOfText: 50256, size: 50257 },
  p50k_base: { sha256: P50K, endOfText: 50256, size: 50281 },
  p50k_edit: { sha256: P50K, endOfText: 50256, size: 50284 },
  cl100k_base: { sha256: CL100K, endOfText: 100257, size: 100277 },
  o200k_base: { sha256: O200K, endOfText: 199999, size: 200019 },
  o200k_harmony: { sha256: O200K, endOfText: 199999, size: 201088 },
};
