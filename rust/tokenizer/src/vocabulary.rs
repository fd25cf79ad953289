//! A vocabulary in the shape that the engine works on.
//!
//! What the build embeds (token bytes, lengths, parts, trie) is used where it lies. Three tables
//! are made when an encoding is first used, in a few milliseconds: where each token's bytes
//! begin, an open-addressed table of the tokens of up to 15 bytes, and one of the pairs of tokens
//! that merge. Tokens enter the tables by rank, so the common ones lie where they are looked for
//! first.

use crate::trie::{Prefix, Prefixes, Trie};

/// Data that the build embeds, aligned so that no entry of eight bytes crosses a cache line.
#[repr(C, align(64))]
struct Aligned<T: ?Sized>(T);

macro_rules! embedded {
    ($name:literal) => {{
        static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".bytes"));
        static LENGTHS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".lengths"));
        static PARTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".parts"));
        static TRIE: &Aligned<[u8]> =
            &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".trie")));
        Embedded { bytes: BYTES, lengths: LENGTHS, parts: PARTS, trie: &TRIE.0 }
    }};
}

/// What `build/main.rs` wrote for one vocabulary.
struct Embedded {
    bytes: &'static [u8],
    lengths: &'static [u8],
    parts: &'static [u8],
    trie: &'static [u8],
}

/// Pieces of up to this many bytes have a [`Key`].
pub(crate) const KEY_BYTES: usize = 15;

/// A piece of up to 15 bytes: the bytes, zeros, and the length in the last byte.
pub(crate) type Key = u128;

const fn masks() -> [Key; 16] {
    let mut masks = [0; 16];
    let mut length = 1;
    while length < 16 {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
}

/// By length, the bits of a sixteen-byte load that belong to the piece.
static MASKS: [Key; 16] = masks();

/// The key of the `length` bytes (at most 15) of `text` from `start` on.
#[inline(always)]
pub(crate) fn key(text: &[u8], start: usize, length: usize) -> Key {
    let length = length & 15;
    let loaded = match text[start..].first_chunk::<16>() {
        Some(sixteen) => u128::from_le_bytes(*sixteen),
        None => load_end(text, start),
    };
    loaded & MASKS[length] | (length as u128) << 120
}

/// Up to the last 15 bytes of `text`, from `start` on, followed by zeros.
#[inline]
pub(crate) fn load_end(text: &[u8], start: usize) -> u128 {
    if let Some(sixteen) = text.last_chunk::<16>() {
        return u128::from_le_bytes(*sixteen) >> (8 * (start + 16 - text.len()));
    }
    // Two loads of the same size that overlap cover all that is left.
    let rest = &text[start..];
    if let (Some(head), Some(tail)) = (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
        let tail = u128::from(u64::from_le_bytes(*tail)) << (8 * (rest.len() - 8));
        u128::from(u64::from_le_bytes(*head)) | tail
    } else if let (Some(head), Some(tail)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let tail = u128::from(u32::from_le_bytes(*tail)) << (8 * (rest.len() - 4));
        u128::from(u32::from_le_bytes(*head)) | tail
    } else {
        rest.iter().rev().fold(0, |bytes, &byte| bytes << 8 | u128::from(byte))
    }
}

#[inline(always)]
pub(crate) fn key_hash(key: Key) -> u64 {
    let mixed = (key as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(((key >> 64) as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F));
    mixed ^ mixed >> 32
}

#[inline(always)]
fn pair_hash(pair: u64) -> u64 {
    pair.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// An id, or two, take 18 bits each in packed entries.
pub(crate) const ID_BITS: u32 = 18;
pub(crate) const ID_MASK: u64 = (1 << ID_BITS) - 1;
const NO_PAIR: u64 = u64::MAX;

/// The tokens of an encoding, without its special tokens.
pub(crate) struct Vocabulary {
    /// Tells vocabularies apart in caches that several share; not 0.
    pub(crate) number: u32,
    bytes: &'static [u8],
    parts: &'static [u8],
    trie: Trie,
    /// Where the bytes of each token begin; one entry more than there are tokens.
    offsets: Box<[u32]>,
    /// Buckets of four, by [`key_hash`], from `first_key` on. A bucket is a cache line, filled
    /// from the left by rank; what does not fit goes to the next. 0 is empty.
    keys: Box<[Key]>,
    /// How many keys lie before the first bucket, for alignment.
    first_key: usize,
    /// The number of buckets less one; the number is a power of two.
    bucket_mask: usize,
    /// The ids of the tokens in the same bucket of `keys`.
    ids: Box<[[u32; 4]]>,
    /// Open-addressed by [`pair_hash`]: left id, right id and the id of their merge.
    pairs: Box<[u64]>,
    /// A bit for every hash value that some pair has, since most pairs asked for do not merge.
    pair_hashes: Box<[u64]>,
    pair_shift: u32,
}

/// The id of a single byte is less; that of every merge is not.
const MERGES: u32 = 256;
/// Bits of the hash of a pair that `pair_hashes` distinguishes.
const PAIR_HASH_BITS: u32 = 21;

impl Vocabulary {
    pub(crate) fn r50k() -> Self {
        Self::load(1, embedded!("p50k"), 50256)
    }

    pub(crate) fn p50k() -> Self {
        Self::load(2, embedded!("p50k"), 50281)
    }

    pub(crate) fn cl100k() -> Self {
        Self::load(3, embedded!("cl100k"), 100256)
    }

    pub(crate) fn o200k() -> Self {
        Self::load(4, embedded!("o200k"), 199998)
    }

    /// Makes the tables for the first `count` tokens.
    fn load(number: u32, data: Embedded, count: usize) -> Self {
        let mut offsets = Vec::with_capacity(count + 1);
        let mut end = 0u32;
        offsets.push(0);
        for &length in &data.lengths[..count] {
            end += u32::from(length);
            offsets.push(end);
        }
        let slots = (count * 5 / 4).next_power_of_two();
        // Fresh memory for a table is all zeros without being written, which a type that asks for
        // alignment would lose.
        let keys = vec![0; slots + 3].into_boxed_slice();
        let first_key = keys.as_ptr().align_offset(64).min(3);
        let mut vocabulary = Self {
            number,
            bytes: data.bytes,
            parts: data.parts,
            trie: Trie::new(data.trie, count as u32, count < data.lengths.len()),
            offsets: offsets.into(),
            keys,
            first_key,
            bucket_mask: slots / 4 - 1,
            ids: vec![[0; 4]; slots / 4].into(),
            pairs: vec![NO_PAIR; slots].into(),
            pair_hashes: vec![0; 1 << (PAIR_HASH_BITS - 6)].into(),
            pair_shift: 64 - slots.trailing_zeros(),
        };
        for id in 0..count as u32 {
            vocabulary.enter(id);
        }
        vocabulary
    }

    fn enter(&mut self, id: u32) {
        let length = self.length(id);
        if (1..=KEY_BYTES).contains(&length) {
            let key = key(self.bytes, self.offsets[id as usize] as usize, length);
            let mut bucket = self.bucket(key_hash(key));
            let slot = loop {
                if let Some(slot) = self.keys(bucket).iter().position(|key| *key == 0) {
                    break slot;
                }
                bucket = (bucket + 1) & self.bucket_mask;
            };
            self.keys[self.first_key + bucket * 4 + slot] = key;
            self.ids[bucket][slot] = id;
        }
        if id >= MERGES && length > 0 {
            let pair = self.packed_parts(id);
            let hash = pair_hash(pair);
            let mut slot = self.pair_slot(hash);
            while self.pairs[slot] != NO_PAIR {
                slot = (slot + 1) & (self.pairs.len() - 1);
            }
            self.pairs[slot] = pair << ID_BITS | u64::from(id);
            let bit = hash >> (64 - PAIR_HASH_BITS);
            self.pair_hashes[bit as usize / 64] |= 1 << (bit % 64);
        }
    }

    #[inline(always)]
    fn bucket(&self, hash: u64) -> usize {
        hash as usize & self.bucket_mask
    }

    #[inline(always)]
    fn pair_slot(&self, hash: u64) -> usize {
        (hash >> self.pair_shift) as usize & (self.pairs.len() - 1)
    }

    /// The token with this key.
    #[inline(always)]
    pub(crate) fn token(&self, key: Key, hash: u64) -> Option<u32> {
        let mut bucket = self.bucket(hash);
        loop {
            let keys = self.keys(bucket);
            for (slot, known) in keys.iter().enumerate() {
                if *known == key {
                    return Some(self.ids[bucket][slot]);
                }
            }
            if keys[3] == 0 {
                return None;
            }
            bucket = (bucket + 1) & self.bucket_mask;
        }
    }

    #[inline(always)]
    fn keys(&self, bucket: usize) -> &[Key; 4] {
        self.keys[self.first_key + bucket * 4..].first_chunk().unwrap_or(&[0; 4])
    }

    /// The longest token that begins `text`, which is not empty.
    #[inline(always)]
    pub(crate) fn longest(&self, text: &[u8]) -> Prefix {
        self.trie.longest(text)
    }

    /// The longest few of the tokens that begin `text`.
    #[inline(always)]
    pub(crate) fn prefixes(&self, text: &[u8]) -> Prefixes {
        self.trie.prefixes(text)
    }

    /// The bytes of a token; none for an id without one.
    pub(crate) fn bytes(&self, id: u32) -> Option<&'static [u8]> {
        let id = id as usize;
        let (start, end) = (*self.offsets.get(id)?, *self.offsets.get(id + 1)?);
        (start < end).then(|| &self.bytes[start as usize..end as usize])
    }

    /// The number of bytes of a token that exists.
    #[inline(always)]
    pub(crate) fn length(&self, id: u32) -> usize {
        (self.offsets[id as usize + 1] - self.offsets[id as usize]) as usize
    }

    #[inline(always)]
    fn packed_parts(&self, id: u32) -> u64 {
        let at = id as usize * 5;
        let eight = self.parts[at..].first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(eight) & ((1 << (2 * ID_BITS)) - 1)
    }

    /// The left one of the two tokens whose merge makes `id`.
    #[inline(always)]
    fn left_part(&self, id: u32) -> u32 {
        (self.packed_parts(id) & ID_MASK) as u32
    }

    /// The right one of the two tokens whose merge makes `id`.
    #[inline(always)]
    fn right_part(&self, id: u32) -> u32 {
        (self.packed_parts(id) >> ID_BITS) as u32
    }

    /// The token that `left` and `right` merge to.
    #[inline(always)]
    fn merged(&self, left: u32, right: u32) -> Option<u32> {
        let pair = u64::from(left) | u64::from(right) << ID_BITS;
        let hash = pair_hash(pair);
        let bit = hash >> (64 - PAIR_HASH_BITS);
        if self.pair_hashes[bit as usize / 64] >> (bit % 64) & 1 == 0 {
            return None;
        }
        let mut slot = self.pair_slot(hash);
        loop {
            let found = self.pairs[slot];
            if found >> ID_BITS == pair {
                return Some((found & ID_MASK) as u32);
            }
            if found == NO_PAIR {
                return None;
            }
            slot = (slot + 1) & (self.pairs.len() - 1);
        }
    }

    /// Whether merging the bytes of `left` and `right` together gives just these two tokens.
    ///
    /// It does if no merge across their seam comes before the merges that make them. So their
    /// merges are undone from the last to the first, and each time the tokens that meet at the
    /// seam are asked whether they would have merged earlier. Of equal ranks the left one goes
    /// first.
    #[inline(never)]
    pub(crate) fn stay_apart(&self, mut left: u32, mut right: u32) -> bool {
        // A merge across the seam takes precedence when its rank is below this.
        let mut before = u32::MAX;
        loop {
            if self.merged(left, right).is_some_and(|merged| merged < before) {
                return false;
            }
            if left.max(right) < MERGES {
                return true;
            }
            if left > right {
                before = left;
                left = self.right_part(left);
            } else {
                before = right + 1;
                right = self.left_part(right);
            }
        }
    }
}
