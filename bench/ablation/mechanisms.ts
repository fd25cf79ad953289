/**
 * The mechanisms of the engine that can be built without: for each the edits of the source that take it out.
 *
 * @module
 */

/** An edit of a source file: the text to find, which must be there exactly once, and what replaces it. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const SRC = "rust/tokenizer/src/";

/** By name; ids are the same without any of them. */
export const MECHANISMS: Readonly<Record<string, readonly Edit[]>> = {
  "branchless merge of short pieces": [{
    file: `${SRC}recent.rs`,
    find: "let known = if piece.len() <= TINY {",
    replace: "let known = if piece.len() <= TINY && piece.is_empty() {",
  }],
  "table of merges behind the piece cache": [{
    file: `${SRC}recent.rs`,
    find: "if let Some(packed) = Packed::find(short, key) {",
    replace: "if let Some(packed) = Packed::find(short, key).filter(|_| false) {",
  }, {
    file: `${SRC}recent.rs`,
    find: "packed.put(short, key);",
    replace: "let _ = packed;",
  }],
  "the same, for counts": [{
    file: `${SRC}recent.rs`,
    find: "if let Some(packed) = Packed::find(short, key) {",
    replace: "if let Some(packed) = Packed::find(short, key).filter(|_| !S::Known::COUNTED) {",
  }, {
    file: `${SRC}recent.rs`,
    find: "packed.put(short, key);",
    replace: "if !S::Known::COUNTED { packed.put(short, key); }",
  }],
  "tokens of three letters in high-entropy runs": [{
    file: `${SRC}triples.rs`,
    find: "let mut found = None;",
    replace: "if places != 0 { return Longer::Many; }\n        let mut found = None;",
  }],
  "high-entropy runs": [{
    file: `${SRC}pieces.rs`,
    find: "if letters != 0 && self.recent.is_scrambled() {",
    replace: "if letters != 0 && self.recent.is_scrambled() && ends == 0 {",
  }],
  "merge boundaries of narrow characters": [{
    file: `${SRC}pieces.rs`,
    find: "|| !first.is_ascii() && end - start > LONG_BYTES {",
    replace: "{",
  }],
  "cache of pieces of 47 to 512 bytes": [{
    file: `${SRC}recent.rs`,
    find: "} else if piece.len() <= LONGER_BYTES {",
    replace: "} else if piece.len() <= LONGER_BYTES && piece.is_empty() {",
  }],
  "path of tiny texts": [{
    file: `${SRC}pieces.rs`,
    find: "[alone] if alone.len() < TINY_TEXT =>",
    replace: "[alone] if alone.len() < TINY_TEXT && alone.is_empty() =>",
  }],
  "prefetch": [{
    file: `${SRC}recent.rs`,
    find: "processor.prefetch(cache.line(place));",
    replace: "let _ = cache.line(place);",
  }],
  "windows of 2,048 bytes": [{
    file: `${SRC}merge.rs`,
    find: "sink.rewind(mark);\n        merge_longer(vocabulary, piece, sink);",
    replace:
      "sink.rewind(mark);\n        if piece.is_empty() { merge_longer(vocabulary, piece, sink) }\n" +
      "        merge_whole(vocabulary, piece, sink);",
  }],
  "hashing by rounds of AES": [{
    file: `${SRC}simd/x86/mod.rs`,
    find: "fn cache_hash(self, key: u128) -> u64 {",
    replace: "fn cache_hash(self, key: u128) -> u64 {\n        return super::key_hash(key);",
  }],
  "reading the tables ahead": [{
    file: `${SRC}vocabulary.rs`,
    find: "if self.is_read_ahead.swap(true, Ordering::Relaxed) {",
    replace: "if self.is_read_ahead.swap(true, Ordering::Relaxed) || true {",
  }],
};
