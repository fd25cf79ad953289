//! The encoding of snapshots: a writer and a reader of words, labels, limits and time zones.

use crate::limits::encoding::{LIMIT, is_in_zone};
use crate::limits::limit::Limit;
use crate::limits::time_zone::{BadZone, MOST_CHANGES, Offsets, Zone};
use crate::snapshot::error::RestoreError;

/// The version that is written. Snapshots of other versions are refused.
pub const VERSION: u64 = 3;
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"sluiceL\0");

/// The longest name of a time zone, in bytes.
const LONGEST_NAME: usize = 256;

/// The time zones of a snapshot, in the order of the numbers that limits refer to.
#[derive(Default)]
pub(crate) struct ZoneTable(Vec<Zone>);

impl ZoneTable {
    /// The words of a limit, with its zone's number in this table.
    pub(crate) fn words_of(&mut self, limit: &Limit) -> [u64; LIMIT] {
        let mut words = limit.to_words();
        if let Some(zone) = limit.zone() {
            let known = self.0.iter().position(|&known| known == zone);
            words[2] = known.unwrap_or_else(|| {
                self.0.push(zone);
                self.0.len() - 1
            }) as u64;
        }
        words
    }

    pub(crate) fn write(&self, words: &mut Vec<u64>) {
        words.push(self.0.len() as u64);
        for zone in &self.0 {
            let Offsets { name, first, changes } = zone.offsets();
            write_label(words, name.as_bytes());
            words.extend([first.cast_unsigned(), changes.len() as u64]);
            let pairs = changes.iter().flat_map(|&(since, offset)| [since, offset]);
            words.extend(pairs.map(i64::cast_unsigned));
        }
    }
}

/// The unread words of a snapshot.
pub(crate) struct Reader<'a>(pub(crate) &'a [u64]);

impl Reader<'_> {
    /// The next word.
    pub(crate) fn next(&mut self) -> Result<u64, RestoreError> {
        let (&first, rest) = self.0.split_first().ok_or(RestoreError::Bytes)?;
        self.0 = rest;
        Ok(first)
    }

    /// A limit, whose zone is one of `zones`.
    pub(crate) fn limit(&mut self, zones: &[Zone]) -> Result<Limit, RestoreError> {
        let (&words, rest) = self.0.split_first_chunk::<LIMIT>().ok_or(RestoreError::Bytes)?;
        self.0 = rest;
        let mut words = words;
        if is_in_zone(&words) {
            let zone = usize::try_from(words[2]).ok().and_then(|at| zones.get(at));
            words[2] = zone.ok_or(RestoreError::Bytes)?.number() as u64;
        }
        Limit::read(words).ok_or(RestoreError::Bytes)
    }

    /// A time zone. If this process has one of that name, that one is used.
    pub(crate) fn zone(&mut self) -> Result<Zone, RestoreError> {
        let name = String::from_utf8(self.label(LONGEST_NAME)?).map_err(|_| RestoreError::Bytes)?;
        let (first, count) = (self.next()?.cast_signed(), self.next()?);
        if count > MOST_CHANGES as u64 {
            return Err(RestoreError::Bytes);
        }
        let (pairs, rest) =
            self.0.split_at_checked(2 * count as usize).ok_or(RestoreError::Bytes)?;
        self.0 = rest;
        let pair = |&[since, offset]: &[u64; 2]| (since.cast_signed(), offset.cast_signed());
        let changes = pairs.as_chunks().0.iter().map(pair).collect();
        Zone::add(Offsets { name, first, changes }).map_err(|bad| match bad {
            BadZone::Offsets => RestoreError::Bytes,
            BadZone::TooMany => RestoreError::Full,
        })
    }

    /// A label, of which at most the first `most` bytes are returned.
    pub(crate) fn label(&mut self, most: usize) -> Result<Vec<u8>, RestoreError> {
        let length = usize::try_from(self.next()?).map_err(|_| RestoreError::Bytes)?;
        let (label, rest) =
            self.0.split_at_checked(length.div_ceil(8)).ok_or(RestoreError::Bytes)?;
        self.0 = rest;
        Ok(label.iter().flat_map(|word| word.to_le_bytes()).take(length.min(most)).collect())
    }
}

/// Writes a text: its length in bytes, then its bytes, padded with zeros.
pub(crate) fn write_label(words: &mut Vec<u64>, label: &[u8]) {
    words.push(label.len() as u64);
    words.extend(
        label
            .chunks(8)
            .map(|chunk| chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))),
    );
}

/// FNV-1a over bytes: it protects against accidents, not against forgery.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
