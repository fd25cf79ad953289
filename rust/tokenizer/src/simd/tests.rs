//! The vectors against the table, and both against Unicode.

use super::{Classes, Portable, Processor, Work, dispatch};
use crate::{tests::Numbers, unicode::class};

struct Classify<'a>(&'a [u8; 64], &'a mut Classes);

impl Work for Classify<'_> {
    fn run<C: Processor>(self, processor: C) {
        *self.1 = processor.classify(self.0);
        let words = self.0.as_chunks().0;
        let words = std::array::from_fn(|i| u64::from_le_bytes(words[i]));
        assert_eq!(processor.classify_words(words), *self.1);
    }
}

struct Signs<'a>(&'a [u32; 64], &'a mut u64);

impl Work for Signs<'_> {
    fn run<C: Processor>(self, processor: C) {
        *self.1 = processor.signs(self.0);
    }
}

#[test]
fn uppermost_bits_are_told_by_place() {
    let mut numbers = Numbers(0x516);
    for _ in 0..1000 {
        let words = std::array::from_fn(|_| (numbers.below(1 << 31) as u32) << 1);
        let mut found = 0;
        dispatch(Signs(&words, &mut found));
        assert_eq!(found, Portable.signs(&words));
        for (place, word) in words.iter().enumerate() {
            assert_eq!(found >> place & 1 != 0, *word >= 1 << 31, "{place}");
        }
    }
}

struct IsSame([u128; 3], bool);

impl Work for &mut IsSame {
    fn run<C: Processor>(self, processor: C) {
        let [one, other, mask] = self.0;
        self.1 = processor.is_same(one, other, mask);
    }
}

#[test]
fn words_are_compared_where_the_mask_has_bits() {
    for differing in 0..128 {
        let word = 0x0123_4567_89AB_CDEF_u128 << 40;
        for mask in [u128::MAX, (1 << 124) - 1, 1 << differing, !(1 << differing), 0] {
            for other in [word, word ^ 1 << differing] {
                let mut found = IsSame([word, other, mask], false);
                dispatch(&mut found);
                assert_eq!(found.1, Portable.is_same(word, other, mask));
                assert_eq!(found.1, word & mask == other & mask, "{other:x} {mask:x}");
            }
        }
    }
}

struct CacheHash(u128, u64);

impl Work for &mut CacheHash {
    fn run<C: Processor>(self, processor: C) {
        self.1 = processor.cache_hash(self.0);
    }
}

/// As many keys as lines, which differ in twelve bits that follow one another. Random numbers would take 63 of
/// a hundred lines. Multiplication is weaker where the other bits of the keys happen to be those of a factor.
#[test]
fn keys_that_differ_in_little_spread_over_the_lines() {
    const LINES: usize = 1 << 12;
    for shift in 0..=120 - LINES.ilog2() {
        let mut taken = [[[false; LINES]; 3]; 2];
        for number in 0..LINES {
            let key = (number as u128) << shift | 7 << 120;
            let mut at_hand = CacheHash(key, 0);
            dispatch(&mut at_hand);
            for (taken, hash) in taken.iter_mut().zip([at_hand.1, Portable.cache_hash(key)]) {
                for (taken, low) in taken.iter_mut().zip([0, 5, 10]) {
                    taken[(hash >> low) as usize % LINES] = true;
                }
            }
        }
        let least = [if has_vectors() { LINES / 2 } else { LINES / 10 }, LINES / 10];
        for (taken, least) in taken.iter().zip(least) {
            for taken in taken {
                let count = taken.iter().filter(|&&is| is).count();
                assert!(count > least, "{count} lines of keys that differ from bit {shift} on");
            }
        }
    }
}

/// The classes of a block, which processors and bytes agree on when nothing is left; and what the processor
/// at hand has left.
fn classes(block: &[u8; 64]) -> (Classes, u64) {
    let mut found = Classes::default();
    dispatch(Classify(block, &mut found));
    let all = found.one_by_one(block, 0);
    assert_eq!(all, Portable.classify(block).one_by_one(block, 0), "{block:?}");
    (all, found.high)
}

fn has_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    return super::x86::is_available();
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[test]
fn vectors_and_bytes_agree() {
    for first in 0..0x80u8 {
        for step in [0u8, 1, 7, 31] {
            classes(&std::array::from_fn(|i| {
                first.wrapping_add(step.wrapping_mul(i as u8)) & 0x7F
            }));
        }
    }
    let mut numbers = Numbers(0x51D);
    for _ in 0..100_000 {
        let most = [0x100, 0x600, 0x3100, 0x1_0000, 0x11_0000][numbers.below(5)];
        let ascii = numbers.below(4);
        let text: String = std::iter::repeat_with(|| match numbers.below(4) {
            kind if kind < ascii => char::from(numbers.below(0x80) as u8),
            _ => char::from_u32(numbers.below(most) as u32).unwrap_or('é'),
        })
        .take(64)
        .collect();
        classes(text.as_bytes().first_chunk().unwrap());
    }
}

#[test]
fn characters_outside_ascii_are_what_unicode_says() {
    for character in '\u{80}'..=char::MAX {
        let length = character.len_utf8();
        for begin in 0..length {
            let text = "a".repeat(begin) + &character.to_string().repeat(64);
            let (classes, left) = classes(text.as_bytes().first_chunk().unwrap());
            // Those that are in the block as a whole.
            let end = begin + (64 - begin) / length * length;
            let whole = u64::MAX >> (64 - (end - begin)) << begin;
            let Classes { upper, lower, caseless, mark, digit, blank, inner, high, .. } = classes;
            let lower = lower & u64::MAX << begin;
            let mut expected = [0; 6];
            if let Some(mask) = expected.get_mut(class(u32::from(character)) as usize) {
                *mask = whole;
            }
            let found = [lower, upper, caseless, mark, digit, blank];
            let behind = u64::MAX.checked_shl(end as u32).unwrap_or(0);
            assert_eq!((found, high), (expected, behind), "{character:?}");
            let firsts = (begin..end).step_by(length).fold(0, |bits, place| bits | 1 << place);
            assert_eq!(inner, whole & !firsts, "{character:?}");
            let is_emoji = matches!(u32::from(character), 0x1F000..0x1F100 | 0x1F140..0x1FBC0 | 0x1FC00..0x2_0000);
            if has_vectors() && (length < 4 || is_emoji) {
                assert_eq!(left, high, "{character:?} is not told apart by vectors");
            }
        }
    }
}
