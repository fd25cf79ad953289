//! A vocabulary in the shape that the engine works on.
//!
//! What the build embeds (token bytes, lengths, parts, trie) is used where it lies. Three tables
//! are made when an encoding is first used, in a few milliseconds: where each token's bytes
//! begin, an open-addressed table of the tokens of up to 15 bytes, and one of the pairs of tokens
//! that merge. Tokens enter the tables by rank, so the common ones lie where they are looked for
//! first.

use crate::trie::Trie;

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
type Key = u128;

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
fn key(text: &[u8], start: usize, length: usize) -> Key {
    let length = length & 15;
    let loaded =
        match text.get(start..start + 16).and_then(|sixteen| <&[u8; 16]>::try_from(sixteen).ok()) {
            Some(sixteen) => u128::from_le_bytes(*sixteen),
            None => {
                let mut sixteen = [0; 16];
                sixteen[..length].copy_from_slice(&text[start..start + length]);
                u128::from_le_bytes(sixteen)
            }
        };
    loaded & MASKS[length] | (length as u128) << 120
}

#[inline(always)]
fn key_hash(key: Key) -> u64 {
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
const ID_BITS: u32 = 18;
const ID_MASK: u64 = (1 << ID_BITS) - 1;
const NO_PAIR: u64 = u64::MAX;

/// The tokens of an encoding, without its special tokens.
pub(crate) struct Vocabulary {
    bytes: &'static [u8],
    parts: &'static [u8],
    trie: Trie,
    /// Where the bytes of each token begin; one entry more than there are tokens.
    offsets: Box<[u32]>,
    /// Open-addressed by [`key_hash`]; 0 is empty.
    keys: Box<[Key]>,
    /// The id of the token in the same slot of `keys`.
    ids: Box<[u32]>,
    /// Open-addressed by [`pair_hash`]: left id, right id and the id of their merge.
    pairs: Box<[u64]>,
    key_shift: u32,
    pair_shift: u32,
}

impl Vocabulary {
    pub(crate) fn r50k() -> Self {
        Self::load(embedded!("p50k"), 50256)
    }

    pub(crate) fn p50k() -> Self {
        Self::load(embedded!("p50k"), 50281)
    }

    pub(crate) fn cl100k() -> Self {
        Self::load(embedded!("cl100k"), 100256)
    }

    pub(crate) fn o200k() -> Self {
        Self::load(embedded!("o200k"), 199998)
    }

    /// Makes the tables for the first `count` tokens.
    fn load(data: Embedded, count: usize) -> Self {
        let mut offsets = Vec::with_capacity(count + 1);
        let mut end = 0u32;
        offsets.push(0);
        for &length in &data.lengths[..count] {
            end += u32::from(length);
            offsets.push(end);
        }
        let slots = (count * 5 / 4).next_power_of_two();
        let mut vocabulary = Self {
            bytes: data.bytes,
            parts: data.parts,
            trie: Trie::new(data.trie, count as u32),
            offsets: offsets.into_boxed_slice(),
            keys: vec![0; slots].into_boxed_slice(),
            ids: vec![0; slots].into_boxed_slice(),
            pairs: vec![NO_PAIR; slots].into_boxed_slice(),
            key_shift: 32 - slots.trailing_zeros(),
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
            let mut slot = self.key_slot(key);
            while self.keys[slot] != 0 {
                slot = (slot + 1) & (self.keys.len() - 1);
            }
            self.keys[slot] = key;
            self.ids[slot] = id;
        }
        if length > 1 {
            let pair = self.packed_parts(id);
            let mut slot = self.pair_slot(pair);
            while self.pairs[slot] != NO_PAIR {
                slot = (slot + 1) & (self.pairs.len() - 1);
            }
            self.pairs[slot] = pair << ID_BITS | u64::from(id);
        }
    }

    #[inline(always)]
    fn key_slot(&self, key: Key) -> usize {
        (key_hash(key) as u32 >> self.key_shift) as usize & (self.keys.len() - 1)
    }

    #[inline(always)]
    fn pair_slot(&self, pair: u64) -> usize {
        (pair_hash(pair) >> self.pair_shift) as usize & (self.pairs.len() - 1)
    }

    /// The token that is the `length` bytes (1 to 15) of `text` from `start` on.
    #[inline(always)]
    pub(crate) fn token_at(&self, text: &[u8], start: usize, length: usize) -> Option<u32> {
        let key = key(text, start, length);
        let mut slot = self.key_slot(key);
        loop {
            let found = self.keys[slot];
            if found == key {
                return Some(self.ids[slot]);
            }
            if found == 0 {
                return None;
            }
            slot = (slot + 1) & (self.keys.len() - 1);
        }
    }

    /// The longest token that begins `text`.
    #[inline(always)]
    pub(crate) fn longest(&self, text: &[u8]) -> Option<u32> {
        self.trie.longest(text)
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
        let eight = self.parts[at..at + 8].try_into().unwrap_or_default();
        u64::from_le_bytes(eight) & ((1 << (2 * ID_BITS)) - 1)
    }

    /// The two tokens whose merge makes `id`; a single byte is twice itself.
    #[inline(always)]
    fn parts(&self, id: u32) -> (u32, u32) {
        let pair = self.packed_parts(id);
        ((pair & ID_MASK) as u32, (pair >> ID_BITS) as u32)
    }

    /// The token that `left` and `right` merge to.
    #[inline(always)]
    fn merged(&self, left: u32, right: u32) -> Option<u32> {
        let pair = u64::from(left) | u64::from(right) << ID_BITS;
        let mut slot = self.pair_slot(pair);
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
    #[inline(always)]
    pub(crate) fn stay_apart(&self, mut left: u32, mut right: u32) -> bool {
        // A merge across the seam takes precedence when its rank is below this.
        let mut before = u32::MAX;
        loop {
            if self.merged(left, right).is_some_and(|merged| merged < before) {
                return false;
            }
            let (inner_left, inner_right) = (self.parts(left).1, self.parts(right).0);
            let left_is_whole = inner_left == left;
            let right_is_whole = inner_right == right;
            if left_is_whole && right_is_whole {
                return true;
            }
            if right_is_whole || (!left_is_whole && left > right) {
                before = left;
                left = inner_left;
            } else {
                before = right + 1;
                right = inner_right;
            }
        }
    }
}
