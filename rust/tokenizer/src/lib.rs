//! Exact OpenAI-compatible byte pair encoding: pre-tokenization, merging, counting and batches.
//!
//! ```
//! use sluice_tokenizer::{Encoding, SpecialTokenMode, Tokenizer};
//!
//! let tokenizer = Tokenizer::get(Encoding::O200kBase);
//! let ids = tokenizer.encode("Hello, world!", SpecialTokenMode::Text)?;
//! assert_eq!(ids, [13225, 11, 2375, 0]);
//! assert_eq!(tokenizer.count("Hello, world!", SpecialTokenMode::Text)?, 4);
//! assert_eq!(tokenizer.decode(&ids)?, b"Hello, world!");
//! # Ok::<(), sluice_tokenizer::Error>(())
//! ```
//!
//! Ids equal those of OpenAI's `tiktoken`. A text passes three stages, and each takes time proportional to the length
//! of the text, whatever the text is:
//!
//! 1. `pretokenize` splits it into pre-tokens, as the encoding's regular expression does.
//! 2. `pretoken_cache` and `vocab` look up each pre-token.
//! 3. `merge` merges the bytes of a pre-token that is not found.
//!
//! `engine` drives the stages; `arch` has the kernels for each processor; `high_entropy` is a fast path for base64
//! and the like. `batch`, `streaming` and `count_cache` are built on top. `naive` is the oracle of the tests. Unsafe
//! code is only in `arch` and `memory`.
#![deny(unsafe_code)]

mod arch;
mod batch;
pub mod count_cache;
mod engine;
mod error;
mod high_entropy;
mod memory;
mod merge;
#[cfg(feature = "oracle")]
pub mod naive;
mod pretoken_cache;
mod pretokenize;
mod sink;
mod streaming;
mod tokenizer;
mod unicode;
mod vocab;

pub use arch::cpu_features;
pub use batch::{BatchOptions, PARALLEL_BYTES, Texts};
pub use error::{BatchError, Error};
pub use sink::EndToken;
pub use streaming::Counter;
pub use tokenizer::{Tokenizer, encoding::Encoding, special_tokens::SpecialTokenMode};
pub use unicode::UNICODE_VERSION;
pub use vocab::LONGEST_TOKEN;

#[cfg(test)]
mod tests;
