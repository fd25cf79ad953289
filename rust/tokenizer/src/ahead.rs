//! Pieces that have been found and wait to be looked up.
//!
//! The tables of recent pieces do not fit into a core's own caches along with what else a gateway
//! does, and a load that is waited for takes as long as all else that a dozen pieces take. So the
//! pieces of one block are looked up when those of the next have been found, and what their places
//! in the table hold is on its way by then. What that is worth, and that blocks further ahead are not,
//! is in `bench/record/2026-11-26-engine-tables.txt`.

use crate::vocabulary::{KEY_BYTES, Key, LENGTH_BIT, load_end, masks};
use std::ops::Range;

/// A block, and what a load of sixteen bytes may reach from its last one.
pub(crate) const WINDOW: usize = 64 + 16;

/// The first bytes of `rest`, and zeros where it has too few.
#[inline(always)]
pub(crate) fn padded(rest: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    for (i, place) in window.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        *place = match rest.get(16 * i..) {
            None | Some([]) => break,
            Some(part) => match part.first_chunk() {
                Some(sixteen) => *sixteen,
                None => load_end(rest, 16 * i).to_le_bytes(),
            },
        };
    }
    window
}

/// The bytes of `rest`, at most 32, then zeros.
#[inline(always)]
pub(crate) fn padded_words(rest: &[u8]) -> [u64; 8] {
    let first = rest.first_chunk().map_or_else(|| load_end(rest, 0), |s| u128::from_le_bytes(*s));
    let second = if rest.len() > 16 { load_end(rest, 16) } else { 0 };
    [first as u64, (first >> 64) as u64, second as u64, (second >> 64) as u64, 0, 0, 0, 0]
}

/// A piece that waits.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// Its key; [`LONG`] if it has none.
    pub(crate) key: Key,
    /// Its line.
    pub(crate) place: usize,
    /// Where it ends in the block.
    pub(crate) end: u32,
}

/// The pieces of one block, which follow one another from its beginning.
pub(crate) struct Row {
    /// Where the block begins in the text.
    pub(crate) begin: usize,
    pub(crate) count: usize,
    pub(crate) pieces: [Found; 64],
}

impl Row {
    pub(crate) const EMPTY: Self =
        Self { begin: 0, count: 0, pieces: [Found { key: 0, place: 0, end: 0 }; 64] };

    /// The pieces from the one with number `from` on.
    #[inline(always)]
    pub(crate) fn from(&self, from: usize) -> &[Found] {
        self.pieces.get(from..self.count).unwrap_or(&[])
    }

    /// A piece, and where it is in the text.
    #[inline(always)]
    pub(crate) fn piece(&self, number: usize) -> (Found, Range<usize>) {
        let at = |number: usize| self.pieces[number % 64];
        let start = number.checked_sub(1).map_or(0, |before| at(before).end);
        let found = at(number);
        (found, self.begin + start as usize..self.begin + found.end as usize)
    }
}

/// The key of a piece that is too long to have one: a byte without a length, which no piece has.
pub(crate) const LONG: Key = 1;

/// By length, the bits of a load that belong to the piece, and what is added to them.
const fn shapes() -> [[Key; 2]; 64] {
    let masks = masks();
    let mut shapes = [[0, LONG]; 64];
    let mut length = 0;
    while length <= KEY_BYTES {
        shapes[length] = [masks[length], (length as Key) << LENGTH_BIT];
        length += 1;
    }
    shapes
}

static SHAPES: [[Key; 2]; 64] = shapes();

/// The key of a piece of the block that `window` begins with.
#[inline(always)]
pub(crate) fn window_key(window: &[u8; WINDOW], start: u32, end: u32) -> Key {
    let Some(sixteen) = window[start as usize % 64..].first_chunk() else { return LONG };
    let [mask, tag] = SHAPES[(end - start) as usize % 64];
    u128::from_le_bytes(*sixteen) & mask | tag
}
