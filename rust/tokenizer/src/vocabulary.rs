//! A vocabulary in the shape that the engine works on.
//!
//! What the build embeds is used where it lies: token bytes, what each is made of, a perfect table of
//! the tokens of up to 15 bytes and one of the pairs that merge (`table`), and the characters that are
//! tokens (`characters`). Only where the bytes of every sixteenth token begin is worked out when an
//! encoding is first used.

use crate::{
    bigrams::Bigrams, characters::Characters, joints::Joints, merges::Merges, table::Table,
};
use std::sync::atomic::{AtomicBool, Ordering};

macro_rules! embedded {
    ($name:literal, $part:literal) => {{
        // Entries of four bytes are not to lie across cache lines.
        static ALIGNED: &Aligned<[u8]> =
            &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".", $part)));
        &ALIGNED.0
    }};
    ($name:literal) => {
        Embedded {
            bytes: embedded!($name, "bytes"),
            lengths: embedded!($name, "lengths").as_chunks().0,
            parts: embedded!($name, "parts"),
            keys: Table::new(embedded!($name, "key.groups"), embedded!($name, "key.entries")),
            pairs: Table::new(embedded!($name, "pair.groups"), embedded!($name, "pair.entries")),
            characters: Characters::new(embedded!($name, "characters"), embedded!($name, "seams")),
            joints: Joints::new(embedded!($name, "joints")),
            bigrams: Bigrams::new(embedded!($name, "bigrams"), embedded!($name, "followers")),
        }
    };
}

#[repr(align(64))]
struct Aligned<T: ?Sized>(T);

/// What `build/main.rs` wrote for one vocabulary.
struct Embedded {
    bytes: &'static [u8],
    lengths: &'static [[u8; GROUP]],
    parts: &'static [u8],
    keys: Table,
    pairs: Table,
    characters: Characters,
    joints: Joints,
    bigrams: Bigrams,
}

/// Pieces of up to this many bytes have a [`Key`].
pub(crate) const KEY_BYTES: usize = 15;

/// A piece of up to 15 bytes: the bytes, zeros, and the length in the last byte.
pub(crate) type Key = u128;
/// Where in a key the length is.
pub(crate) const LENGTH_BIT: u32 = 120;

/// By length, the bits of a sixteen-byte load that belong to the piece.
pub(crate) const fn masks() -> [Key; 16] {
    let mut masks = [0; 16];
    let mut length = 1;
    while length < 16 {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
}

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
    first_bytes(loaded, length) | (length as u128) << LENGTH_BIT
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

/// The longest token of any vocabulary has this many bytes.
pub(crate) const LONGEST_TOKEN: usize = 128;

/// So many tokens have one entry that says where they begin, and their lengths say the rest. With an entry
/// for each, new words took 6 to 12 % longer (`bench/record/2026-11-26-engine-tables.txt`, 22).
const GROUP: usize = 16;

/// The tokens of an encoding, without its special tokens.
pub(crate) struct Vocabulary {
    /// Tells vocabularies apart in caches that several share; not 0.
    pub(crate) number: u32,
    bytes: &'static [u8],
    /// The number of bytes of each token; 0 for an id without one.
    lengths: &'static [[u8; GROUP]],
    /// Where the bytes of the first token of each group begin.
    begins: Box<[u32]>,
    /// The tokens of up to 15 bytes by the hash of their [`key`].
    keys: Table,
    /// What two tokens merge to.
    merges: Merges,
    /// The token of each byte.
    singles: [u32; 256],
    /// What is known of characters outside ASCII.
    characters: Characters,
    joints: Joints,
    bigrams: Bigrams,
    /// Whether somebody has taken the [`Tables`] to read them ahead.
    is_read_ahead: AtomicBool,
}

/// All that new pieces are looked up in.
pub(crate) struct Tables([&'static [u8]; 7]);

impl Tables {
    /// Reads them in a row, which takes a tenth of the time that it takes here and there, as new pieces would.
    pub(crate) fn read(&self) {
        const CACHE_LINE: usize = 64;
        for table in self.0 {
            let all = table.iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte);
            std::hint::black_box(all);
        }
    }
}

/// Embedded once, though two vocabularies are made of it.
fn embedded_p50k() -> Embedded {
    embedded!("p50k")
}

impl Vocabulary {
    pub(crate) fn r50k() -> Self {
        const COUNT: u32 = 50256;
        // It is the beginning of p50k; what follows there are runs of white space.
        let data = embedded_p50k();
        let (keys, pairs) = (data.keys.first(COUNT), data.pairs.first(COUNT));
        const { assert!((COUNT as usize).is_multiple_of(GROUP)) };
        let lengths = &data.lengths[..COUNT as usize / GROUP];
        Self::new(1, Embedded { lengths, keys, pairs, ..data })
    }

    pub(crate) fn p50k() -> Self {
        Self::new(2, embedded_p50k())
    }

    pub(crate) fn cl100k() -> Self {
        Self::new(3, embedded!("cl100k"))
    }

    pub(crate) fn o200k() -> Self {
        Self::new(4, embedded!("o200k"))
    }

    fn new(number: u32, data: Embedded) -> Self {
        let mut end = 0;
        let begins = data.lengths.iter().map(|group| {
            let begin = end;
            end += sum(u128::from_le_bytes(*group)) as u32;
            begin
        });
        let mut singles = [0; 256];
        for (byte, id) in data.bytes.iter().zip(0..256) {
            // The first 256 tokens are the bytes.
            singles[usize::from(*byte)] = id;
        }
        Self {
            number,
            bytes: data.bytes,
            lengths: data.lengths,
            begins: begins.collect(),
            keys: data.keys,
            merges: Merges::new(data.parts, data.pairs),
            singles,
            characters: data.characters,
            joints: data.joints,
            bigrams: data.bigrams,
            is_read_ahead: AtomicBool::new(false),
        }
    }

    /// All that new pieces are looked up in, to be read ahead: once a process.
    pub(crate) fn read_ahead(&self) -> Option<Tables> {
        if self.is_read_ahead.swap(true, Ordering::Relaxed) {
            return None;
        }
        let [groups, entries] = self.keys.parts();
        let [parts, pair_groups, pair_entries] = self.merges.tables();
        let lengths = self.lengths.as_flattened();
        Some(Tables([self.bytes, lengths, groups, entries, parts, pair_groups, pair_entries]))
    }

    /// The token with this key.
    #[inline(always)]
    pub(crate) fn token(&self, key: Key, hash: u64) -> Option<u32> {
        let id = self.keys.candidate(hash);
        let (start, length) = self.place(id)?;
        let sixteen = self.bytes.get(start..)?.first_chunk()?;
        let found = first_bytes(u128::from_le_bytes(*sixteen), length & 15);
        (found | (length as u128) << LENGTH_BIT == key).then_some(id)
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

    /// Pairs of letters.
    #[inline(always)]
    pub(crate) fn bigrams(&self) -> &Bigrams {
        &self.bigrams
    }

    /// Where pieces can be cut.
    #[inline(always)]
    pub(crate) fn joints(&self) -> &Joints {
        &self.joints
    }

    /// The bytes of a token; none for an id without one.
    pub(crate) fn bytes(&self, id: u32) -> Option<&'static [u8]> {
        let (start, length) = self.place(id)?;
        (length > 0).then(|| &self.bytes[start..start + length])
    }

    /// The number of bytes of a token that exists.
    #[inline(always)]
    pub(crate) fn length(&self, id: u32) -> usize {
        self.lengths.as_flattened()[id as usize].into()
    }

    /// Where the bytes of a token begin, and how many they are.
    #[inline(always)]
    fn place(&self, id: u32) -> Option<(usize, usize)> {
        let (group, number) = (id as usize / GROUP, id as usize % GROUP);
        let lengths = self.lengths.get(group)?;
        let before = sum(first_bytes(u128::from_le_bytes(*lengths), number));
        Some((*self.begins.get(group)? as usize + before, lengths[number].into()))
    }
}

/// The sum of sixteen bytes.
#[inline(always)]
fn sum(bytes: u128) -> usize {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    let pairs = |half: u64| (half & EVEN) + (half >> 8 & EVEN);
    let lanes = pairs(bytes as u64) + pairs((bytes >> 64) as u64);
    (lanes.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
}
