//! A vocabulary in the shape that the engine works on.
//!
//! What the build embeds (token bytes, lengths, parts) is used where it lies. Tables are made when
//! an encoding is first used, in a few milliseconds: where each token's bytes begin, an
//! open-addressed table of the tokens of up to 15 bytes, a perfect hash of the pairs of tokens
//! that merge (`merges`), and the characters that are tokens (`characters`). Tokens enter the tables
//! by rank, so the common ones lie where they are looked for first.

use crate::{characters::Characters, merges::Merges, pair_hash::ID_BITS};

macro_rules! embedded {
    ($name:literal) => {{
        static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".bytes"));
        static LENGTHS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".lengths"));
        static PARTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".parts"));
        static GROUPS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".groups"));
        Embedded { bytes: BYTES, lengths: LENGTHS, parts: PARTS, groups: GROUPS }
    }};
}

/// What `build/main.rs` wrote for one vocabulary.
struct Embedded {
    bytes: &'static [u8],
    lengths: &'static [u8],
    parts: &'static [u8],
    groups: &'static [u8],
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

/// The first `length` bytes of a word, then zeros.
#[inline(always)]
pub(crate) fn first_bytes(word: u128, length: usize) -> u128 {
    match MASKS.get(length) {
        Some(mask) => word & mask,
        None => word,
    }
}

/// The key of the `length` bytes (at most 15) of `text` from `start` on.
#[inline(always)]
pub(crate) fn key(text: &[u8], start: usize, length: usize) -> Key {
    let length = length & 15;
    let loaded = match text[start..].first_chunk::<16>() {
        Some(sixteen) => u128::from_le_bytes(*sixteen),
        None => load_end(text, start),
    };
    first_bytes(loaded, length) | (length as u128) << 120
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

pub(crate) const ID_MASK: u64 = (1 << ID_BITS) - 1;
/// The longest token of any vocabulary has this many bytes.
pub(crate) const LONGEST_TOKEN: usize = 128;

/// The tokens of an encoding, without its special tokens.
pub(crate) struct Vocabulary {
    /// Tells vocabularies apart in caches that several share; not 0.
    pub(crate) number: u32,
    bytes: &'static [u8],
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
    /// What two tokens merge to.
    merges: Merges,
    /// The token of each byte.
    singles: [u32; 256],
    /// What is known of characters outside ASCII.
    characters: Characters,
}

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
            offsets: offsets.into(),
            keys,
            first_key,
            bucket_mask: slots / 4 - 1,
            ids: vec![[0; 4]; slots / 4].into(),
            merges: Merges::new(data.parts, data.groups),
            singles: [0; 256],
            characters: Characters::new(),
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
        let token = &self.bytes[self.offsets[id as usize] as usize..][..length];
        if let [byte] = *token {
            self.singles[usize::from(byte)] = id;
        }
        if length > 1 {
            let left = self.merges.enter(id);
            self.characters.enter(id, token, self.length(left));
        }
    }

    #[inline(always)]
    fn bucket(&self, hash: u64) -> usize {
        hash as usize & self.bucket_mask
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

    /// The token of a byte.
    #[inline(always)]
    pub(crate) fn byte(&self, byte: u8) -> u32 {
        self.singles[usize::from(byte)]
    }

    /// What two tokens merge to.
    #[inline(always)]
    pub(crate) fn merges(&self) -> &Merges {
        &self.merges
    }

    /// What is known of characters outside ASCII.
    #[inline(always)]
    pub(crate) fn characters(&self) -> &Characters {
        &self.characters
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
}
