//! The interface of the splitting patterns, and the split of one block of 64 bytes.

use super::block::Block;
use crate::{arch::Classes, vocab::MergeBoundaries};

/// The splitting pattern of a family of encodings.
pub(crate) trait Splitter {
    /// Whether the pattern distinguishes upper from lower case, and treats marks as letters.
    const HAS_CASE: bool;

    /// The end of the pre-token of UTF-8 `text` that begins at byte `at`. `at` is the first byte of a character and
    /// less than the length; the result is greater than `at`.
    fn end(text: &[u8], at: usize) -> usize;

    /// A bit for every start of a pre-token in the block of `text` at `at`. Bit 0 is undefined. Shortens the block
    /// where the masks do not decide.
    fn starts(block: &mut Block, text: &[u8], at: usize) -> u64;

    /// The letters at which a pre-token may be split so that its rest still ends where it would have ended.
    fn resumable(block: &Block) -> u64;
}

/// The splits of the block of `text` at `at`: bit `i` is set where a pre-token begins at byte `at + i`, or a part of
/// one whose boundary no merge crosses. Bit 0 is undefined; the next block begins at the highest bit set. The second
/// value is whether the text ends with the block. `classes` describes the up to 64 bytes that are left of the text,
/// and none after its end.
#[inline(always)]
pub(crate) fn block_starts<P: Splitter>(
    text: &[u8],
    at: usize,
    classes: Classes,
    boundaries: &MergeBoundaries,
) -> (u64, bool) {
    let mut block = Block::new(text, at, classes, P::HAS_CASE);
    let starts = P::starts(&mut block, text, at);
    let certain = block.certain() & !1;
    let uncrossed = block.uncrossed(text, at, boundaries, certain & !starts);
    if uncrossed == 0 || block.is_last {
        return ((starts | uncrossed) & certain, block.is_last);
    }
    let next = (starts | uncrossed & P::resumable(&block)) & certain;
    ((starts | uncrossed) & (u64::MAX >> next.leading_zeros().min(63)) & certain, false)
}
