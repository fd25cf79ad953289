//! A fast path for high-entropy ASCII text (base64, hashes, API keys): merges all letters of a block with bit masks.
//!
//! In such text hardly any three letters are a token, so the letters are merged to single letters and bigrams only.
//! Which bigrams are merged follows from masks of the whole block ([`bigrams`]): with bigrams alone, no merge creates
//! a new pair. Where a merged bigram is part of a trigram token, or is followed by another bigram it may merge with,
//! that does not hold. Then the letters around it, as far as merges can reach, are examined again ([`trigrams`]) or
//! merged like all others. A pre-token boundary is just one more boundary that merges do not cross, so the masks
//! cover all pre-tokens of a block, and none of them is looked up or cached.
//!
//! Natural language is different, and an attempt on it wastes time. So the path is tried only while recent lookup
//! misses look like high-entropy text ([`EntropyHeuristic`]). What the path is worth is in
//! `bench/record/2026-11-26-engine-tables.txt`, 25 and 28.

mod bigrams;
mod block;
mod encode;
mod heuristic;
mod trigrams;

pub(crate) use block::{AsciiBlock, HighEntropyBlock};
pub(crate) use heuristic::EntropyHeuristic;
