//! A direct-mapped cache of pre-tokens of 47 to 512 bytes, most of which are runs of one character.
//!
//! Few of them are words. But mails, logs, Markdown and code have lines of dashes, equals signs or box-drawing
//! characters and runs of spaces, the same ones again and again. Merging them took two thirds of the time of mails
//! (`bench/record/2026-11-26-engine-tables.txt`).

use crate::vocab::perfect_hash::key_hash;

/// The number of entries: 768 KiB, of which only used pages count. A quarter of that makes texts with a hundred
/// different runs a quarter slower (`bench/record/2026-11-29-ablation.txt`).
const SLOTS: usize = 1 << 10;
/// The longest pre-token that fits into an entry.
pub(crate) const RUN_BYTES: usize = 512;

/// The cache.
pub(crate) struct RunCache {
    /// Flat: for arrays of more than sixteen elements, `vec!` writes zeros instead of allocating zeroed memory.
    bytes: Box<[u8]>,
    words: Box<[u32]>,
}

/// Words of an entry: a head, and the tokens.
///
/// The head has the length of the pre-token, the number of its tokens from bit 16 on, and the number of the
/// vocabulary from bit 24 on. It is 0 in an empty entry.
const WORDS: usize = 64;
const _: () = assert!(RUN_BYTES < 1 << 16 && WORDS <= 1 << 8, "the fields of the head");

impl RunCache {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; SLOTS * RUN_BYTES].into(), words: vec![0; SLOTS * WORDS].into() }
    }

    /// Passes the tokens of `pre_token`, of at most 512 bytes, to `emit`, or returns where they can be inserted.
    #[inline(always)]
    pub(crate) fn find<'a>(
        &'a mut self,
        number: u32,
        pre_token: &'a [u8],
        emit: impl FnOnce(&[u32]),
    ) -> Option<RunMiss<'a>> {
        let slot = slot(pre_token);
        let bytes = &mut self.bytes.as_chunks_mut::<RUN_BYTES>().0[slot][..pre_token.len()];
        let [head, ids @ ..] = &mut self.words.as_chunks_mut::<WORDS>().0[slot];
        let length_and_number = pre_token.len() as u32 | number << 24;
        if *head & !(0xFF << 16) == length_and_number && bytes == pre_token {
            let count = *head >> 16 & 0xFF;
            emit(&ids[..count as usize]);
            return None;
        }
        Some(RunMiss { pre_token, bytes, length_and_number, head, ids })
    }
}

/// The entry that an insertion overwrites.
pub(crate) struct RunMiss<'a> {
    pre_token: &'a [u8],
    bytes: &'a mut [u8],
    length_and_number: u32,
    head: &'a mut u32,
    ids: &'a mut [u32],
}

impl RunMiss<'_> {
    /// Inserts the tokens of the pre-token, if the entry has room for them.
    pub(crate) fn insert(self, ids: &[u32]) {
        if let Some(slots) = self.ids.get_mut(..ids.len()) {
            self.bytes.copy_from_slice(self.pre_token);
            slots.copy_from_slice(ids);
            *self.head = self.length_and_number | (ids.len() as u32) << 16;
        }
    }
}

/// The entry of a pre-token.
fn slot(pre_token: &[u8]) -> usize {
    let (words, rest) = pre_token.as_chunks();
    let last = rest.iter().fold(0, |word, &byte| word << 8 | u128::from(byte));
    let words = words.iter().map(|word| u128::from_le_bytes(*word)).chain([last]);
    let mixed =
        words.fold(pre_token.len() as u64, |mixed, word| mixed.rotate_left(23) ^ key_hash(word));
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % SLOTS
}
