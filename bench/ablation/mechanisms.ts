/**
 * The mechanisms of the engine that it can be built without: for each, the edits of the source that remove it.
 *
 * @module
 */

/** An edit of a source file: the text to find, which must occur exactly once, and its replacement. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const SRC = "rust/tokenizer/src/";

/** By name. The ids are the same without any of them. */
export const MECHANISMS: Readonly<Record<string, readonly Edit[]>> = {
  "branchless merge of short pre-tokens": [{
    file: `${SRC}engine/pre_token.rs`,
    find: "let entry = if pre_token.len() <= TINY {",
    replace: "let entry = if pre_token.len() <= TINY && pre_token.is_empty() {",
  }],
  "cache of merges behind the short cache": [{
    file: `${SRC}engine/pre_token.rs`,
    find: "let keeps_merges = !S::Entry::IS_COUNT && cache.is_full_size();",
    replace: "let keeps_merges = cache.is_full_size() && pre_token.is_empty();",
  }],
  "trigrams in high-entropy text": [{
    file: `${SRC}high_entropy/trigrams.rs`,
    find: "let mut found = None;",
    replace: "if unclear != 0 { return LongerTokens::Undecided; }\n        let mut found = None;",
  }],
  "fast path for high-entropy text": [{
    file: `${SRC}engine/mod.rs`,
    find: "if letters != 0 && self.tables.entropy.is_likely() {",
    replace: "if letters != 0 && self.tables.entropy.is_likely() && ends == 0 {",
  }],
  "cache of pre-tokens of 47 to 512 bytes": [{
    file: `${SRC}engine/pre_token.rs`,
    find: "} else if pre_token.len() <= RUN_BYTES {",
    replace: "} else if pre_token.len() <= RUN_BYTES && pre_token.is_empty() {",
  }],
  "path of tiny texts": [{
    file: `${SRC}engine/mod.rs`,
    find: "[single] if single.len() < TINY_TEXT =>",
    replace: "[single] if single.len() < TINY_TEXT && single.is_empty() =>",
  }],
  "prefetch": [{
    file: `${SRC}pretoken_cache/lookahead.rs`,
    find: "cpu.prefetch(cache.set(set));",
    replace: "let _ = cache.set(set);",
  }],
  "merging up to 512 bytes on the stack": [{
    file: `${SRC}merge/windowed.rs`,
    find: "if pre_token.len() <= MEDIUM {",
    replace: "if pre_token.is_empty() {",
  }],
  "windows of 2,048 bytes": [{
    file: `${SRC}merge/windowed.rs`,
    find: "        merge_by_large_windows(vocabulary, pre_token, sink);",
    replace: "        merge_whole(vocabulary, pre_token, sink);",
  }],
  "hash by rounds of AES": [{
    file: `${SRC}arch/x86_64/avx2.rs`,
    find: "fn cache_hash(self, key: u128) -> u64 {",
    replace: "fn cache_hash(self, key: u128) -> u64 {\n        " +
      "return crate::vocab::perfect_hash::key_hash(key);",
  }],
  "reading the tables ahead": [{
    file: `${SRC}vocab/mod.rs`,
    find: "if self.is_read_ahead.swap(true, Ordering::Relaxed) {",
    replace: "if self.is_read_ahead.swap(true, Ordering::Relaxed) || true {",
  }],
};
