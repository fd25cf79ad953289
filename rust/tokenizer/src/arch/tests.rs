//! The vector kernels against the portable ones, and both against Unicode.

use super::{Classes, Portable, Processor, WithCpu, dispatch};
use crate::{tests::Numbers, unicode::class};

struct Classify<'a>(&'a [u8; 64]);

impl WithCpu for Classify<'_> {
    type Output = Classes;

    fn run<C: Processor>(self, cpu: C) -> Classes {
        let classes = cpu.classify(self.0);
        let words = self.0.as_chunks().0;
        let words = std::array::from_fn(|i| u64::from_le_bytes(words[i]));
        assert_eq!(cpu.classify_words(words), classes);
        classes
    }
}

struct Signs<'a>(&'a [u32; 64]);

impl WithCpu for Signs<'_> {
    type Output = u64;

    fn run<C: Processor>(self, cpu: C) -> u64 {
        cpu.signs(self.0)
    }
}

#[test]
fn signs_are_the_highest_bits_in_order() {
    let mut numbers = Numbers(0x516);
    for _ in 0..1000 {
        let words = std::array::from_fn(|_| (numbers.below(1 << 31) as u32) << 1);
        let found = dispatch(Signs(&words));
        assert_eq!(found, Portable.signs(&words));
        for (bit, word) in words.iter().enumerate() {
            assert_eq!(found >> bit & 1 != 0, *word >= 1 << 31, "{bit}");
        }
    }
}

struct IsEqualIn([u128; 3]);

impl WithCpu for IsEqualIn {
    type Output = bool;

    fn run<C: Processor>(self, cpu: C) -> bool {
        let [one, other, mask] = self.0;
        cpu.is_equal_in(one, other, mask)
    }
}

#[test]
fn words_are_compared_in_the_bits_of_the_mask() {
    for differing in 0..128 {
        let word = 0x0123_4567_89AB_CDEF_u128 << 40;
        for mask in [u128::MAX, (1 << 124) - 1, 1 << differing, !(1 << differing), 0] {
            for other in [word, word ^ 1 << differing] {
                let found = dispatch(IsEqualIn([word, other, mask]));
                assert_eq!(found, Portable.is_equal_in(word, other, mask));
                assert_eq!(found, word & mask == other & mask, "{other:x} {mask:x}");
            }
        }
    }
}

struct CacheHash(u128);

impl WithCpu for CacheHash {
    type Output = u64;

    fn run<C: Processor>(self, cpu: C) -> u64 {
        cpu.cache_hash(self.0)
    }
}

/// Hashes as many keys as there are sets; the keys differ in twelve consecutive bits. Random numbers would fall into
/// 63 % of the sets. The multiplication is weaker where the other bits of the keys equal those of its constant.
#[test]
fn similar_keys_spread_over_the_sets() {
    const SETS: usize = 1 << 12;
    for shift in 0..=120 - SETS.ilog2() {
        let mut taken = [[[false; SETS]; 3]; 2];
        for number in 0..SETS {
            let key = (number as u128) << shift | 7 << 120;
            let hashes = [dispatch(CacheHash(key)), Portable.cache_hash(key)];
            for (taken, hash) in taken.iter_mut().zip(hashes) {
                for (taken, low) in taken.iter_mut().zip([0, 5, 10]) {
                    taken[(hash >> low) as usize % SETS] = true;
                }
            }
        }
        let least = [if hashes_by_aes() { SETS / 2 } else { SETS / 10 }, SETS / 10];
        for (taken, least) in taken.iter().zip(least) {
            for taken in taken {
                let count = taken.iter().filter(|&&is| is).count();
                assert!(count > least, "{count} sets for keys that differ from bit {shift} on");
            }
        }
    }
}

/// The classes of a block, on which all processors agree once every character is classified, and the bytes that the
/// processor at hand leaves unclassified.
fn classes(block: &[u8; 64]) -> (Classes, u64) {
    let found = dispatch(Classify(block));
    let all = found.classify_rest(block, 0);
    assert_eq!(all, Portable.classify(block).classify_rest(block, 0), "{block:?}");
    (all, found.high)
}

struct Name;

impl WithCpu for Name {
    type Output = &'static str;

    fn run<C: Processor>(self, _: C) -> &'static str {
        std::any::type_name::<C>()
    }
}

#[test]
fn the_features_are_those_of_the_kernels_at_work() {
    let name = dispatch(Name).rsplit("::").next().unwrap();
    let features = match name {
        "Avx2" => "aes avx2 bmi1 bmi2 lzcnt popcnt",
        "Neon<true>" => "neon aes",
        "Neon<false>" => "neon",
        "Portable" => "",
        _ => panic!("unknown kernels: {name}"),
    };
    assert_eq!(super::cpu_features(), features);
    #[cfg(has_vector_kernels)]
    #[cfg(target_arch = "aarch64")]
    assert!(has_vectors(), "every 64-bit ARM with a standard library has NEON");
}

fn hashes_by_aes() -> bool {
    super::cpu_features().contains("aes")
}

fn has_vectors() -> bool {
    !super::cpu_features().is_empty()
}

#[test]
fn vector_and_portable_kernels_agree() {
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
fn characters_outside_ascii_have_their_unicode_class() {
    for character in '\u{80}'..=char::MAX {
        let length = character.len_utf8();
        for begin in 0..length {
            let text = "a".repeat(begin) + &character.to_string().repeat(64);
            let (classes, left) = classes(text.as_bytes().first_chunk().unwrap());
            // The characters that lie within the block as a whole.
            let end = begin + (64 - begin) / length * length;
            let whole = u64::MAX >> (64 - (end - begin)) << begin;
            let Classes { upper, lower, caseless, mark, digit, blank, inner, high, .. } = classes;
            let lower = lower & u64::MAX << begin;
            let mut expected = [0; 6];
            if let Some(mask) = expected.get_mut(class(u32::from(character)) as usize) {
                *mask = whole;
            }
            let found = [lower, upper, caseless, mark, digit, blank];
            let after = u64::MAX.checked_shl(end as u32).unwrap_or(0);
            assert_eq!((found, high), (expected, after), "{character:?}");
            let firsts = (begin..end).step_by(length).fold(0, |bits, bit| bits | 1 << bit);
            assert_eq!(inner, whole & !firsts, "{character:?}");
            let is_emoji = matches!(u32::from(character), 0x1F000..0x1F100 | 0x1F140..0x1FBC0 | 0x1FC00..0x2_0000);
            if has_vectors() && (length < 4 || is_emoji) {
                assert_eq!(left, high, "{character:?} is not classified by vectors");
            }
        }
    }
}
