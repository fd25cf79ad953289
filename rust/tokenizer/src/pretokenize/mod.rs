//! Pre-tokenization: splits a text as the regular expression of its encoding does, without a regex engine.
//!
//! Each family of encodings has one pattern and one [`Splitter`]. A splitter finds all boundaries of a block of 64
//! bytes at once by arithmetic on bit masks ([`block`]), or the end of one pre-token by scanning ([`Splitter::end`]).
//! The patterns look ahead by a character or two and never back, so a split depends only on the text from there on.
//! No character is read more than a few times, so the cost is O(n).

pub(crate) mod block;
mod cl100k;
mod o200k;
mod r50k;
mod safe_split;
mod scan;
mod splitter;
mod whitespace;
pub(crate) mod window;

pub(crate) use {
    cl100k::Cl100k,
    o200k::O200k,
    r50k::R50k,
    safe_split::safe_split,
    splitter::{Splitter, block_starts},
};
