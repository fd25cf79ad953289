//! Byte pair encoding of one pre-token: merging bytes into tokens, in linear time.
//!
//! Byte pair encoding is defined by a process: merge the pair of lowest rank, leftmost first, until no pair is left.
//! [`merge_tiny`] does so for up to 6 bytes without branches, and [`merge_short`] for up to 63 bytes by scanning an
//! array. Longer pre-tokens are merged window by window ([`merge_long`]); large windows use a tournament tree.

mod array_scan;
mod branchless;
mod tournament_tree;
mod windowed;

#[cfg(test)]
pub(crate) use tournament_tree::{Space, merge_tree};
pub(crate) use {
    array_scan::{SHORT, merge_short},
    branchless::{TINY, merge_tiny},
    windowed::merge_long,
};
