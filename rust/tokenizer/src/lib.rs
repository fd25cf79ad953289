//! Exact OpenAI-compatible BPE tokenization.
//!
//! ```
//! use sluice_tokenizer::{Encoding, Special, Tokenizer};
//!
//! let tokenizer = Tokenizer::get(Encoding::O200kBase);
//! let ids = tokenizer.encode("Hello, world!", Special::Text)?;
//! assert_eq!(ids, [13225, 11, 2375, 0]);
//! assert_eq!(tokenizer.count("Hello, world!", Special::Text)?, 4);
//! assert_eq!(tokenizer.decode(&ids)?, b"Hello, world!");
//! # Ok::<(), sluice_tokenizer::Error>(())
//! ```
//!
//! A text passes three stages, none of which looks at it twice: it is split into pieces as the
//! encoding's pattern says (`split`), a piece that is a token is looked up (`vocabulary`), and any
//! other piece is merged from its bytes (`merge`). Every stage takes time proportional to the
//! length of the text, whatever the text is. Ids equal those of OpenAI's `tiktoken`.
#![deny(unsafe_code)]

mod ahead;
mod batch;
mod bigrams;
mod characters;
pub mod count_cache;
mod counter;
mod cut;
mod encoding;
mod ends;
mod error;
mod flat;
mod joints;
mod known;
mod letters;
mod lines;
mod long;
mod longer;
mod memory;
mod merge;
mod merges;
#[cfg(feature = "oracle")]
pub mod naive;
mod packed;
mod pairs;
mod perfect_hash;
mod piece_cache;
mod pieces;
mod quads;
mod recent;
mod scrambled;
mod simd;
mod sink;
mod special;
mod split;
mod table;
mod texts;
mod threads;
mod tiny;
mod tokenizer;
mod tree;
mod triples;
mod unicode;
mod utf8;
mod vocabulary;

pub use batch::{BatchError, BatchOptions, PARALLEL_BYTES};
pub use counter::Counter;
pub use encoding::Encoding;
pub use error::Error;
pub use special::Special;
pub use texts::Texts;
pub use tokenizer::Tokenizer;
pub use unicode::UNICODE_VERSION;

#[cfg(test)]
mod tests;
