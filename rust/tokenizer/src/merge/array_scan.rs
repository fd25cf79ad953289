//! Merging of up to 63 bytes with an array of ranks that is scanned for its minimum.
//!
//! Each token has the rank of its pair with the next token. The least rank, leftmost first, is merged, and the ranks
//! of the two new pairs are looked up, until no pair merges. The array is small enough to find its minimum by
//! comparing all of a block of sixteen, with vector instructions. There are at most 62 merges of equal cost, so the
//! whole is O(1).
//!
//! The cost is branch mispredictions and loads that wait for each other, so there are few of either. Missing
//! neighbours are a token that merges with none. A lookup neither probes nor compares more than fourteen bits of the
//! pair ([`candidate`](crate::vocab::PairTable::candidate)); the pair is verified only when it is to be merged, and
//! that test succeeds but for one time in thousands.

use crate::{
    arch::{Processor, WithCpu},
    vocab::{NONE, Vocabulary},
};

/// The greatest number of bytes that are merged in one array.
pub(crate) const SHORT: usize = 63;

const INDEX_BITS: u32 = 6;
const BLOCK: usize = 16;
/// No token, the neighbour of the tokens at the ends. It is in the last element of an array and in the one after the
/// pre-token.
pub(super) const NO_TOKEN: u32 = (1 << 18) - 1;

/// Writes the tokens of `pre_token`, of 1 to 63 bytes, to `ids` and returns their number. `fewest` is a lower bound
/// of the result: 2 if the pre-token is known to be no token, and otherwise 1.
#[inline(always)]
pub(crate) fn merge_short<C: Processor>(
    vocabulary: &Vocabulary,
    pre_token: &[u8],
    ids: &mut [u32; 64],
    fewest: usize,
    cpu: C,
) -> usize {
    cpu.run_outlined(MergeShort { vocabulary, pre_token, ids, fewest })
}

struct MergeShort<'a> {
    vocabulary: &'a Vocabulary,
    pre_token: &'a [u8],
    ids: &'a mut [u32; 64],
    fewest: usize,
}

impl WithCpu for MergeShort<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<C: Processor>(self, _: C) -> usize {
        let Self { vocabulary, pre_token, ids, fewest } = self;
        let count = initial_tokens(vocabulary, &pre_token[..pre_token.len().min(SHORT)], ids);
        if count < BLOCK {
            merge_array::<1>(vocabulary, count, ids, fewest)
        } else {
            merge_array::<4>(vocabulary, count, ids, fewest)
        }
    }
}

/// Writes the tokens that merging starts from, and returns their number: bytes, and
/// [characters](crate::vocab::Vocabulary::char_tokens) where that is equivalent.
#[inline(always)]
pub(super) fn initial_tokens(vocabulary: &Vocabulary, pre_token: &[u8], ids: &mut [u32]) -> usize {
    let mut count = 0;
    let mut at = 0;
    while at < pre_token.len() {
        let byte = pre_token[at];
        let character =
            if byte < 0xC0 { None } else { vocabulary.char_tokens().token(pre_token, at) };
        let (token, length) = character.unwrap_or((vocabulary.byte_token(byte), 1));
        ids[count] = token;
        count += 1;
        at += length;
    }
    count
}

#[inline(always)]
fn minimum(block: &[u32; BLOCK]) -> u32 {
    let a: [u32; 8] = std::array::from_fn(|i| block[i].min(block[i + 8]));
    let b: [u32; 4] = std::array::from_fn(|i| a[i].min(a[i + 4]));
    b[0].min(b[1]).min(b[2].min(b[3]))
}

/// Merges the first `count` of `tokens`, less than `BLOCKS` times sixteen, and returns the number that is left.
#[inline(always)]
fn merge_array<const BLOCKS: usize>(
    vocabulary: &Vocabulary,
    count: usize,
    tokens: &mut [u32; 64],
    fewest: usize,
) -> usize {
    if count <= fewest {
        return count;
    }
    let pairs = vocabulary.pairs();
    let at = |index: u32| (index as usize / BLOCK % BLOCKS, index as usize % BLOCK);
    let count = count.min(BLOCKS * BLOCK - 1);
    let mut ids = [[NO_TOKEN; BLOCK]; BLOCKS];
    // For each token, the token that it merges to with the next one and, in the lowest bits, its index.
    let mut merges = [[NONE; BLOCK]; BLOCKS];
    ids.as_flattened_mut()[..count].copy_from_slice(&tokens[..count]);
    for (index, pair) in (0..).zip(tokens[..count].windows(2)) {
        let (block, i) = at(index);
        merges[block][i] = ranked(pairs.candidate(pair[0], pair[1]), index);
    }
    // A bit for each index that holds a token, and for the one after the pre-token.
    let mut used = u64::MAX >> (63 - count);
    let mut left_over = count;
    let mut minima: [u32; BLOCKS] = std::array::from_fn(|block| minimum(&merges[block]));
    loop {
        let least = minima.iter().fold(NONE, |a, &b| a.min(b));
        if least == NONE {
            break;
        }
        let index = least % (1 << INDEX_BITS);
        let merged = least >> INDEX_BITS;
        let after = used & (!1 << index);
        let right = after.trailing_zeros();
        let next = (after & after.wrapping_sub(1)).trailing_zeros() % 64;
        let before = (used & !(u64::MAX << index)).leading_zeros();
        let left = 63u32.wrapping_sub(before) % 64;

        let (block, i) = at(index);
        let (right_block, right_i) = at(right);
        if !pairs.is_merge(merged, ids[block][i], ids[right_block][right_i]) {
            merges[block][i] = NONE;
            minima[block] = minimum(&merges[block]);
            continue;
        }
        used &= !(1 << right);
        ids[block][i] = merged;
        left_over -= 1;
        if left_over == fewest {
            break;
        }
        let (left_block, left_i) = at(left);
        let (next_block, next_i) = at(next);
        let with_next = pairs.candidate(merged, ids[next_block][next_i]);
        let with_left = pairs.candidate(ids[left_block][left_i], merged);
        merges[right_block][right_i] = NONE;
        merges[block][i] = ranked(with_next, index);
        merges[left_block][left_i] = ranked(with_left, left);
        minima[block] = minimum(&merges[block]);
        if BLOCKS > 1 {
            if right_block != block {
                minima[right_block] = minimum(&merges[right_block]);
            }
            if left_block != block {
                minima[left_block] = minimum(&merges[left_block]);
            }
        }
    }
    used ^= 1 << count;
    let mut found = 0;
    while used != 0 {
        let (block, i) = at(used.trailing_zeros());
        tokens[found % 64] = ids[block][i];
        found += 1;
        used &= used - 1;
    }
    found
}

#[inline(always)]
fn ranked(merged: u32, index: u32) -> u32 {
    if merged == NONE { NONE } else { merged << INDEX_BITS | index }
}
