//! A vocabulary as read-only tables that are embedded in the library and used in place.
//!
//! The build lays out the bytes of the tokens, a perfect hash table of the tokens of up to 15 bytes, one of the pairs
//! that merge, and tables of characters, boundaries and bigrams. Only the offset of every sixteenth token is computed
//! when an encoding is first used.

pub(crate) mod alphabet;
mod bigram_table;
mod boundary_index;
mod char_tokens;
mod id_table;
pub(crate) mod key;
mod merge_boundaries;
mod pair_table;
pub(crate) mod perfect_hash;

pub(crate) use bigram_table::BigramTable;
pub(crate) use merge_boundaries::{MergeBoundaries, is_splittable};
pub(crate) use pair_table::{NONE, PairTable};

use char_tokens::CharTokens;
use id_table::IdTable;
use key::{Key, LENGTH_BIT, first_bytes};
use std::sync::atomic::{AtomicBool, Ordering};

macro_rules! embedded {
    ($name:literal, $part:literal) => {{
        // The alignment keeps entries of four bytes within one cache line.
        static ALIGNED: &Aligned<[u8]> =
            &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".", $part)));
        &ALIGNED.0
    }};
    ($name:literal) => {
        Embedded {
            bytes: embedded!($name, "bytes"),
            lengths: embedded!($name, "lengths").as_chunks().0,
            parts: embedded!($name, "parts"),
            keys: IdTable::new(
                embedded!($name, "key.displacements"),
                embedded!($name, "key.slots"),
            ),
            pairs: IdTable::new(
                embedded!($name, "pair.displacements"),
                embedded!($name, "pair.slots"),
            ),
            char_tokens: CharTokens::new(
                embedded!($name, "char_tokens"),
                embedded!($name, "boundary_ranks"),
            ),
            merge_boundaries: MergeBoundaries::new(embedded!($name, "merge_boundaries")),
            bigrams: BigramTable::new(
                embedded!($name, "bigram_tokens"),
                embedded!($name, "bigram_followers"),
            ),
        }
    };
}

#[repr(align(64))]
struct Aligned<T: ?Sized>(T);

/// The files that `build/main.rs` writes for one vocabulary.
struct Embedded {
    bytes: &'static [u8],
    lengths: &'static [[u8; GROUP]],
    parts: &'static [u8],
    keys: IdTable,
    pairs: IdTable,
    char_tokens: CharTokens,
    merge_boundaries: MergeBoundaries,
    bigrams: BigramTable,
}

/// The number of bytes of the longest ordinary token of any encoding.
pub const LONGEST_TOKEN: usize = 128;

/// Tokens are grouped by this number. A group has one offset; the offsets within it follow from the lengths. With an
/// offset for each token, new words took 6 to 12 % longer (`bench/record/2026-11-26-engine-tables.txt`, 22).
const GROUP: usize = 16;

/// The number of a vocabulary has at most this many bits.
pub(crate) const NUMBER_BITS: u32 = 4;

/// The tokens of an encoding, without its special tokens.
pub(crate) struct Vocabulary {
    /// Distinguishes vocabularies in the caches that they share; not 0.
    pub(crate) number: u32,
    bytes: &'static [u8],
    /// The number of bytes of each token; 0 for an id without a token.
    lengths: &'static [[u8; GROUP]],
    /// The offset of the first token of each group in `bytes`.
    offsets: Box<[u32]>,
    /// The tokens of up to 15 bytes by the hash of their [`Key`].
    keys: IdTable,
    pairs: PairTable,
    /// The token of each byte.
    byte_tokens: [u32; 256],
    char_tokens: CharTokens,
    merge_boundaries: MergeBoundaries,
    bigrams: BigramTable,
    /// Whether a thread has taken the [`LookupTables`] to read them ahead.
    is_read_ahead: AtomicBool,
}

/// The tables that lookups of new pre-tokens read.
pub(crate) struct LookupTables([&'static [u8]; 7]);

impl LookupTables {
    /// Reads them from end to end. That takes a tenth of the time of the page faults and cache misses of random
    /// lookups.
    pub(crate) fn read(&self) {
        const CACHE_LINE: usize = 64;
        for table in self.0 {
            let all = table.iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte);
            std::hint::black_box(all);
        }
    }
}

/// A function, so that the files are embedded once though two vocabularies use them.
fn embedded_p50k() -> Embedded {
    embedded!("p50k")
}

impl Vocabulary {
    pub(crate) fn r50k() -> Self {
        const COUNT: u32 = 50256;
        // It is a prefix of p50k, which continues with runs of white space.
        let data = embedded_p50k();
        let (keys, pairs) = (data.keys.truncated(COUNT), data.pairs.truncated(COUNT));
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
        let offsets = data.lengths.iter().map(|group| {
            let start = end;
            end += byte_sum(u128::from_le_bytes(*group)) as u32;
            start
        });
        let mut byte_tokens = [0; 256];
        for (byte, id) in data.bytes.iter().zip(0..256) {
            // The first 256 tokens are the bytes.
            byte_tokens[usize::from(*byte)] = id;
        }
        Self {
            number,
            bytes: data.bytes,
            lengths: data.lengths,
            offsets: offsets.collect(),
            keys: data.keys,
            pairs: PairTable::new(data.parts, data.pairs),
            byte_tokens,
            char_tokens: data.char_tokens,
            merge_boundaries: data.merge_boundaries,
            bigrams: data.bigrams,
            is_read_ahead: AtomicBool::new(false),
        }
    }

    /// The tables that lookups of new pre-tokens read, for one thread of the process to read ahead. `None` if another
    /// thread has taken them.
    pub(crate) fn read_ahead(&self) -> Option<LookupTables> {
        if self.is_read_ahead.swap(true, Ordering::Relaxed) {
            return None;
        }
        let [displacements, slots] = self.keys.memory();
        let [parts, pair_displacements, pair_slots] = self.pairs.memory();
        let lengths = self.lengths.as_flattened();
        let tables =
            [self.bytes, lengths, displacements, slots, parts, pair_displacements, pair_slots];
        Some(LookupTables(tables))
    }

    /// The token with this key, whose hash is `hash`. O(1).
    #[inline(always)]
    pub(crate) fn token(&self, key: Key, hash: u64) -> Option<u32> {
        let id = self.keys.candidate(hash);
        let (start, length) = self.location(id)?;
        let sixteen = self.bytes.get(start..)?.first_chunk()?;
        let found = first_bytes(u128::from_le_bytes(*sixteen), length & 15);
        (found | (length as u128) << LENGTH_BIT == key).then_some(id)
    }

    /// The token of a single byte.
    #[inline(always)]
    pub(crate) fn byte_token(&self, byte: u8) -> u32 {
        self.byte_tokens[usize::from(byte)]
    }

    #[inline(always)]
    pub(crate) fn pairs(&self) -> &PairTable {
        &self.pairs
    }

    #[inline(always)]
    pub(crate) fn char_tokens(&self) -> &CharTokens {
        &self.char_tokens
    }

    #[inline(always)]
    pub(crate) fn bigrams(&self) -> &BigramTable {
        &self.bigrams
    }

    #[inline(always)]
    pub(crate) fn merge_boundaries(&self) -> &MergeBoundaries {
        &self.merge_boundaries
    }

    /// The bytes of a token; `None` for an id without a token.
    pub(crate) fn bytes(&self, id: u32) -> Option<&'static [u8]> {
        let (start, length) = self.location(id)?;
        (length > 0).then(|| &self.bytes[start..start + length])
    }

    /// The number of bytes of a token that exists.
    #[inline(always)]
    pub(crate) fn length(&self, id: u32) -> usize {
        self.lengths.as_flattened()[id as usize].into()
    }

    /// The offset of the bytes of a token, and their number.
    #[inline(always)]
    fn location(&self, id: u32) -> Option<(usize, usize)> {
        let (group, index) = (id as usize / GROUP, id as usize % GROUP);
        let lengths = self.lengths.get(group)?;
        let before = byte_sum(first_bytes(u128::from_le_bytes(*lengths), index));
        Some((*self.offsets.get(group)? as usize + before, lengths[index].into()))
    }
}

/// The sum of the sixteen bytes of a word.
#[inline(always)]
fn byte_sum(bytes: u128) -> usize {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    let pairs = |half: u64| (half & EVEN) + (half >> 8 & EVEN);
    let lanes = pairs(bytes as u64) + pairs((bytes >> 64) as u64);
    (lanes.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
}
