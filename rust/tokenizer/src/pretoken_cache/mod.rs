//! Set-associative caches of pre-tokens and their tokens, owned by one thread.
//!
//! Texts repeat their words, and gateways see the same prompts again and again, so nearly every pre-token has been
//! looked up before, and most of those that must be merged have been merged. The caches compare the bytes themselves
//! and not a hash of them, so a hit is as exact as a merge. Their size is bounded: a new entry evicts an old one.
//!
//! | pre-token | cache | entry |
//! |---|---|---|
//! | 1 to 15 bytes | [`ShortCache`], 2-way with ids or 4-way with counts | key, up to six ids or a count |
//! | 7 to 15 bytes, merged | [`MergedCache`], 2-way, if ids are wanted and the short cache is full-size | key, up to six ids |
//! | 16 to 46 bytes | [`LongCache`], 2-way, entries of two sizes | bytes, up to 11 or 29 ids |
//! | 47 to 512 bytes | [`RunCache`], direct-mapped | bytes, up to 63 ids |
//!
//! The caches only look up and insert; the engine merges on a miss.

mod long;
mod lookahead;
mod merged;
mod packed_ids;
mod run;
mod set;
mod short;

#[cfg(test)]
pub(crate) use {long::LongTable, set::Set};
pub(crate) use {
    long::{LONG_BYTES, LongCache},
    lookahead::{NO_KEY, Pending, PendingBlock},
    merged::MergedCache,
    packed_ids::PackedIds,
    run::{RUN_BYTES, RunCache},
    set::{CacheEntry, TokenCount},
    short::{ShortCache, ShortView},
};
