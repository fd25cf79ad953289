//! A cache line of four pieces, each with its key and how many tokens it has; zeros where there is
//! none.
//!
//! Counting needs no ids, and how many there are fits into four bits that keys do not use. So twice as
//! many pieces lie in a line as where ids are kept, and fewer have to be looked up or merged again.
//! A piece that is found again becomes the first. What is new becomes the second, and those behind the first
//! move back, so that a line that others have filled has room for three that are new.

use crate::{known::Known, lines::Line, packed::Packed, simd::Processor, vocabulary::Key};

/// How many tokens a piece has, of those that have a key: 1 to 15.
#[derive(Clone, Copy)]
pub(crate) struct Counted(pub(crate) usize);

/// Where in a word the count is.
const COUNT: u32 = 124;
/// The bits of the key.
const KEY: u128 = (1 << COUNT) - 1;

/// Whether a word is of the piece with this key.
#[inline(always)]
fn is_of(word: u128, key: Key) -> bool {
    let differ = word ^ key;
    let (low, high) = (differ as u64, (differ >> 64) as u64);
    low | high << (u128::BITS - COUNT) == 0
}

impl Counted {
    #[inline(always)]
    fn in_word(word: u128) -> Self {
        Self((word >> COUNT) as usize)
    }
}

impl Known for Counted {
    const TABLE: usize = 1;
    const COUNTED: bool = true;

    fn all(line: &Line) -> impl Iterator<Item = (Key, Self)> {
        line.iter().map(|&word| (word & KEY, Self::in_word(word)))
    }

    #[inline(always)]
    fn of(tokens: &[u32]) -> Option<Self> {
        Some(Self(tokens.len()))
    }

    #[inline(always)]
    fn of_packed(tokens: Packed) -> Self {
        Self(tokens.count())
    }

    #[inline(always)]
    fn in_first<C: Processor>(&[first, ..]: &Line, key: Key, processor: C) -> Option<Self> {
        processor.is_same(first, key, KEY).then_some(Self::in_word(first))
    }

    #[inline(always)]
    fn find(line: &mut Line, key: Key) -> Option<Self> {
        let place = line.iter().position(|&word| is_of(word, key))?;
        line.swap(0, place);
        Some(Self::in_word(line[0]))
    }

    fn put(self, line: &mut Line, key: Key) {
        let word = key | (self.0 as u128) << COUNT;
        let [first, others @ ..] = line;
        if *first == 0 {
            *first = word;
        } else {
            others.rotate_right(1);
            others[0] = word;
        }
    }
}
