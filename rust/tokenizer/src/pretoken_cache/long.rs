//! A 2-way set-associative cache of pre-tokens of 16 to 46 bytes: long words and names, runs of symbols.

use super::packed_ids::PackedIds;
use crate::vocab::{
    key::{first_bytes, load_end},
    perfect_hash::key_hash,
};

/// The longest pre-token that this cache holds.
pub(crate) const LONG_BYTES: usize = Large::BYTES;

/// 2 MiB.
type Small = LongTable<{ 1 << 14 }, 2, 4>;
/// 0.5 MiB.
type Large = LongTable<{ 1 << 11 }, 3, 8>;

/// The cache. Most of these pre-tokens have at most 30 bytes and 11 tokens, and fit into entries of half the size.
/// What the two sizes and the numbers of sets are worth is in `bench/record/2026-11-26-engine-tables.txt`, 29.
pub(crate) struct LongCache {
    small: Small,
    large: Large,
}

impl LongCache {
    pub(crate) fn new() -> Self {
        Self { small: Small::new(), large: Large::new() }
    }

    /// Passes the tokens of the pre-token `text[start..end]`, of 16 to 46 bytes, to `emit` in order, or returns where
    /// they can be inserted.
    #[inline(always)]
    pub(crate) fn find(
        &mut self,
        number: u32,
        text: &[u8],
        (start, end): (usize, usize),
        mut emit: impl FnMut(PackedIds),
    ) -> Option<LongMiss<'_>> {
        let mut small = None;
        if end - start <= Small::BYTES {
            small = Some(self.small.find(number, text, (start, end), &mut emit)?);
        }
        let large = self.large.find(number, text, (start, end), &mut emit)?;
        Some(LongMiss { small, large })
    }
}

/// Where the tokens of a pre-token that was not found can be inserted.
pub(crate) struct LongMiss<'a> {
    small: Option<Vacancy<'a, 2>>,
    large: Vacancy<'a, 3>,
}

impl LongMiss<'_> {
    /// Inserts the tokens of the pre-token, if an entry has room for them.
    #[inline(always)]
    pub(crate) fn insert(self, ids: &[u32]) {
        if !self.small.is_some_and(|vacancy| vacancy.insert(ids)) {
            self.large.insert(ids);
        }
    }
}

/// `SETS` sets of two entries of `WORDS` words. An entry has the bytes of a pre-token, padded with zeros, in its
/// first `KEY` words, with the length and the number of the vocabulary in their last two bytes. The other words have
/// the tokens, [packed](PackedIds); only the last word in use has fewer than six.
pub(crate) struct LongTable<const SETS: usize, const KEY: usize, const WORDS: usize>(
    Box<[[[u128; WORDS]; 2]]>,
);

impl<const SETS: usize, const KEY: usize, const WORDS: usize> LongTable<SETS, KEY, WORDS> {
    /// The longest pre-token that fits into an entry.
    pub(crate) const BYTES: usize = 16 * KEY - 2;

    pub(crate) fn new() -> Self {
        Self(vec![[[0; WORDS]; 2]; SETS].into())
    }

    /// Passes the tokens of the pre-token `text[start..end]` to `emit`, or returns where they can be inserted.
    #[inline(always)]
    pub(crate) fn find(
        &mut self,
        number: u32,
        text: &[u8],
        (start, end): (usize, usize),
        mut emit: impl FnMut(PackedIds),
    ) -> Option<Vacancy<'_, KEY>> {
        let mut key: [u128; KEY] = words(text, start, end - start);
        key[KEY - 1] |= ((end - start) as u128) << 112 | u128::from(number) << 120;
        let [first, second] = &mut self.0[hash(key) % SETS];
        if first[..KEY] != key {
            // LRU: a hit or an insertion becomes the first way, and an insertion replaces the other one.
            std::mem::swap(first, second);
        }
        let (held, ids) = first.split_at_mut(KEY);
        if *held != key {
            return Some(Vacancy { key, held, ids });
        }
        for ids in ids {
            let ids = PackedIds(*ids);
            emit(ids);
            if ids.count() < PackedIds::MAX {
                break;
            }
        }
        None
    }
}

/// The entry that an insertion overwrites.
pub(crate) struct Vacancy<'a, const KEY: usize> {
    key: [u128; KEY],
    held: &'a mut [u128],
    ids: &'a mut [u128],
}

impl<const KEY: usize> Vacancy<'_, KEY> {
    /// Inserts the tokens of the pre-token if the entry has room for them. Whether it has.
    #[inline(always)]
    pub(crate) fn insert(self, ids: &[u32]) -> bool {
        let has_room = ids.len() < self.ids.len() * PackedIds::MAX;
        if has_room {
            self.held.copy_from_slice(&self.key);
            let sixes = ids.chunks(PackedIds::MAX).chain([&[][..]]);
            for (word, six) in self.ids.iter_mut().zip(sixes) {
                *word = PackedIds::new(six).0;
            }
        }
        has_room
    }
}

/// The `length` bytes of `text` from `start` on as `N` words, padded with zeros.
#[inline(always)]
fn words<const N: usize>(text: &[u8], start: usize, length: usize) -> [u128; N] {
    std::array::from_fn(|i| {
        let before = 16 * i;
        let rest = text.get(start + before..).unwrap_or(&[]);
        let word = match rest.first_chunk() {
            Some(sixteen) => u128::from_le_bytes(*sixteen),
            None if before < length => load_end(text, start + before),
            None => 0,
        };
        first_bytes(word, length.saturating_sub(before))
    })
}

/// The hash of a key, which selects its set.
#[inline(always)]
fn hash<const N: usize>(key: [u128; N]) -> usize {
    let mixed = key.into_iter().fold(0u64, |mixed, word| mixed.rotate_left(23) ^ key_hash(word));
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}
