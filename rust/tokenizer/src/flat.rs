//! Merging the bytes of up to 63 at a time, by the process that defines the encoding.
//!
//! The tokens stand in a row, each with what it and the next one merge to. The least of these,
//! leftmost first, is merged, and what its two neighbours now merge to is looked up; until nothing
//! merges. There are at most 62 merges and each costs the same, so this is O(1); the row is small
//! enough to be searched for its least entry by comparing all of a block of sixteen.
//!
//! Wrongly guessed branches and loads that wait for one another are what takes time here, so
//! there are few of either: neighbours that do not exist are a token that merges with none, and a
//! look-up neither searches nor compares more than fourteen bits of the pair
//! ([`Merges::candidate`](crate::merges::Merges::candidate)). Whether it was the right pair is
//! asked when the merge is to be made, where the answer is yes but for one time in many thousands.

use crate::{
    merges::NONE,
    simd::{Processor, Work},
    vocabulary::Vocabulary,
};

/// The longest piece that is merged in one row.
pub(crate) const SHORT: usize = 63;

const PLACE_BITS: u32 = 6;
const BLOCK: usize = 16;
/// No token, as neighbour of those at the ends. It takes the last place of a row as well as the
/// one after the piece.
pub(crate) const NOBODY: u32 = (1 << 18) - 1;

/// Writes the tokens of `piece`, of 1 to 63 bytes, into `tokens` and says how many they are: at
/// least `fewest`, which is 2 where the piece is known to be no token, and else 1.
#[inline(always)]
pub(crate) fn merge_flat<C: Processor>(
    vocabulary: &Vocabulary,
    piece: &[u8],
    tokens: &mut [u32; 64],
    fewest: usize,
    processor: C,
) -> usize {
    let mut count = 0;
    processor.apart(Flat { vocabulary, piece, tokens, fewest, count: &mut count });
    count
}

struct Flat<'a> {
    vocabulary: &'a Vocabulary,
    piece: &'a [u8],
    tokens: &'a mut [u32; 64],
    fewest: usize,
    count: &'a mut usize,
}

impl Work for Flat<'_> {
    #[inline(always)]
    fn run<C: Processor>(self, _: C) {
        let Self { vocabulary, piece, tokens, fewest, count } = self;
        let begun = begin(vocabulary, &piece[..piece.len().min(SHORT)], tokens);
        *count = if begun < BLOCK {
            merge_row::<1>(vocabulary, begun, tokens, fewest)
        } else {
            merge_row::<4>(vocabulary, begun, tokens, fewest)
        };
    }
}

/// Writes the tokens that the merging can begin with: bytes, and characters where nothing else
/// comes between.
#[inline(always)]
pub(crate) fn begin(vocabulary: &Vocabulary, piece: &[u8], tokens: &mut [u32]) -> usize {
    let mut count = 0;
    let mut at = 0;
    while at < piece.len() {
        let byte = piece[at];
        let character = if byte < 0xC0 { None } else { vocabulary.characters().token(piece, at) };
        let (token, length) = character.unwrap_or((vocabulary.byte(byte), 1));
        tokens[count] = token;
        count += 1;
        at += length;
    }
    count
}

#[inline(always)]
fn least(block: &[u32; BLOCK]) -> u32 {
    let a: [u32; 8] = std::array::from_fn(|i| block[i].min(block[i + 8]));
    let b: [u32; 4] = std::array::from_fn(|i| a[i].min(a[i + 4]));
    b[0].min(b[1]).min(b[2].min(b[3]))
}

/// Merges the first `count` of `tokens`, less than `BLOCKS` times sixteen, and says how many are
/// left.
#[inline(always)]
fn merge_row<const BLOCKS: usize>(
    vocabulary: &Vocabulary,
    count: usize,
    tokens: &mut [u32; 64],
    fewest: usize,
) -> usize {
    if count <= fewest {
        return count;
    }
    let at = |place: u32| (place as usize / BLOCK % BLOCKS, place as usize % BLOCK);
    let count = count.min(BLOCKS * BLOCK - 1);
    let mut ids = [[NOBODY; BLOCK]; BLOCKS];
    // What merges with the next one to what: the id and, below it, the place.
    let mut merges = [[NONE; BLOCK]; BLOCKS];
    ids.as_flattened_mut()[..count].copy_from_slice(&tokens[..count]);
    for (place, pair) in (0..).zip(tokens[..count].windows(2)) {
        let (block, i) = at(place);
        merges[block][i] = placed(vocabulary.merges().candidate(pair[0], pair[1]), place);
    }
    // The places that hold a token, and the one after the piece.
    let mut used = u64::MAX >> (63 - count);
    let mut left_over = count;
    let mut least_of: [u32; BLOCKS] = std::array::from_fn(|block| least(&merges[block]));
    loop {
        let found = least_of.iter().fold(NONE, |a, &b| a.min(b));
        if found == NONE {
            break;
        }
        let place = found % (1 << PLACE_BITS);
        let merged = found >> PLACE_BITS;
        let after = used & (!1 << place);
        let right = after.trailing_zeros();
        let next = (after & after.wrapping_sub(1)).trailing_zeros() % 64;
        let before = (used & !(u64::MAX << place)).leading_zeros();
        let left = 63u32.wrapping_sub(before) % 64;

        let (block, i) = at(place);
        let (right_block, right_i) = at(right);
        if !vocabulary.merges().is_merge(merged, ids[block][i], ids[right_block][right_i]) {
            merges[block][i] = NONE;
            least_of[block] = least(&merges[block]);
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
        let with_next = vocabulary.merges().candidate(merged, ids[next_block][next_i]);
        let with_left = vocabulary.merges().candidate(ids[left_block][left_i], merged);
        merges[right_block][right_i] = NONE;
        merges[block][i] = placed(with_next, place);
        merges[left_block][left_i] = placed(with_left, left);
        least_of[block] = least(&merges[block]);
        if BLOCKS > 1 {
            if right_block != block {
                least_of[right_block] = least(&merges[right_block]);
            }
            if left_block != block {
                least_of[left_block] = least(&merges[left_block]);
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
fn placed(merged: u32, place: u32) -> u32 {
    if merged == NONE { NONE } else { merged << PLACE_BITS | place }
}
