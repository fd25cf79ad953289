//! Columns of texts, as Arrow and Parquet lay them out: offsets into one buffer of values.
//!
//! A call has too few parameters for three buffers and a result. So the rows are set first, which copies some bytes
//! a row, and the values come with each call, which copies none of them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::chunk::Scratch;
use super::settings::Settings;
use super::writer::{Group, SLUICE_LINE_NOT_STRING, SLUICE_LINE_NOT_UTF8, Work, Writer};
use super::{NEVER, READERS, Reader};
use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::slice;
use crate::seam::status::SluiceStatus;

/// Texts are tokenized in groups of about this many bytes.
const GROUP: usize = 128 << 10;

/// Where the texts of a column are in its values.
pub(super) struct Rows {
    /// One more than there are rows, ascending.
    offsets: Vec<usize>,
    /// 0 for each row that is null; empty if no row is.
    valid: Vec<u8>,
}

/// Sets the rows of the next columns that a reader reads, and returns their number. O(`offsets_len`).
///
/// `offsets` are little-endian integers of 32 bits or, if `is_large` is not 0, of 64, as Arrow has them: one more
/// than there are rows, from the beginning of the values on, ascending. `valid` has a byte for each row, which is 0
/// if the row is null, or no bytes if no row is. The rows stay until others are set. Fails with `OUT_OF_MEMORY`.
///
/// # Safety
/// `offsets` points to `offsets_len` readable words, `valid` to `valid_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_column_set_rows(
    reader: u32,
    offsets: *const u32,
    offsets_len: u32,
    is_large: u32,
    valid: *const u8,
    valid_len: u32,
) -> i32 {
    boundary(|| {
        // SAFETY: the caller's contract.
        let offsets = unsafe { slice::input("offsets", offsets, offsets_len) }?;
        // SAFETY: the caller's contract.
        let valid = unsafe { slice::input("valid", valid, valid_len) }?;
        let rows = Arc::new(Rows::new(offsets, is_large != 0, valid)?);
        let number = rows.number();
        READERS.with(reader, |reader| {
            reader.rows = Some(rows);
            Ok(())
        })?;
        count(number)
    })
}

/// Writes the ids of a column of texts, and returns how many words the results take.
///
/// `rust/abi/src/tokenizer/lines/mod.rs` describes the results. A row that is null or not UTF-8 has no ids. A result
/// greater than `out_cap` is enough room for another call; what was written then has no meaning. O(`values_len`).
/// Fails with `WRONG_STEP` before rows are set, with `INVALID_ARGUMENT` if a row is beyond the values, and with
/// `OUT_OF_MEMORY`.
///
/// # Safety
/// `values` points to `values_len` readable bytes, `out` to `out_cap` writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_column_encode(
    reader: u32,
    values: *const u8,
    values_len: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { write_column(reader, (values, values_len), Work::Encode, (out, out_cap)) }
}

/// Writes the token counts of a column of texts, and returns how many words the results take.
///
/// As `sluice_column_encode`, without ids. The settings of ids have no effect.
///
/// # Safety
/// `values` points to `values_len` readable bytes, `out` to `out_cap` writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_column_count(
    reader: u32,
    values: *const u8,
    values_len: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { write_column(reader, (values, values_len), Work::Count, (out, out_cap)) }
}

/// # Safety
/// As [`sluice_column_encode`].
unsafe fn write_column(
    reader: u32,
    (values, values_len): (*const u8, u32),
    work: Work,
    (out, out_cap): (*mut u32, u32),
) -> i32 {
    boundary(|| {
        // SAFETY: passed on from the caller.
        let values = unsafe { slice::input("values", values, values_len) }?;
        // SAFETY: passed on from the caller.
        let out = unsafe { slice::output("out", out, out_cap, values) }?;
        READERS.with(reader, |reader| {
            let rows = reader.rows()?;
            count(rows.write(values, &reader.settings, work, &mut reader.scratch, &NEVER, out)?)
        })
    })
}

impl Reader {
    /// The rows that were set.
    pub(super) fn rows(&self) -> Result<Arc<Rows>, Failure> {
        let none = || Failure::new(SluiceStatus::WrongStep, "no rows were set");
        self.rows.as_ref().map(Arc::clone).ok_or_else(none)
    }
}

impl Rows {
    fn new(words: &[u32], is_large: bool, valid: &[u8]) -> Result<Self, Failure> {
        let width = if is_large { 2 } else { 1 };
        if words.is_empty() || !words.len().is_multiple_of(width) {
            return Err(Failure::argument(format!(
                "offsets has {} words, which is not one offset or more",
                words.len()
            )));
        }
        let rows = words.len() / width - 1;
        if !valid.is_empty() && valid.len() != rows {
            return Err(Failure::argument(format!(
                "valid has {} bytes, and there are {rows} rows",
                valid.len()
            )));
        }
        let memory = |_| Failure::memory("the rows");
        let mut own = Self { offsets: Vec::new(), valid: Vec::new() };
        own.offsets.try_reserve_exact(rows + 1).map_err(memory)?;
        own.valid.try_reserve_exact(valid.len()).map_err(memory)?;
        own.valid.extend_from_slice(valid);
        let mut before = 0;
        for (row, offset) in words.chunks_exact(width).enumerate() {
            let offset = offset.iter().rev().fold(0u64, |all, &word| all << 32 | u64::from(word));
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            if offset < before {
                return Err(Failure::argument(format!(
                    "offset {row} is {offset}, less than {before} before it"
                )));
            }
            own.offsets.push(offset);
            before = offset;
        }
        Ok(own)
    }

    fn number(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Writes the results of `work` on all rows to `out`, as far as there is room, and returns how many words are
    /// enough for them. O(bytes).
    pub(super) fn write(
        &self,
        values: &[u8],
        settings: &Settings,
        work: Work,
        scratch: &mut Scratch,
        stop: &AtomicBool,
        out: &mut [u32],
    ) -> Result<usize, Failure> {
        let (first, last) = (self.offsets[0], self.offsets[self.number()]);
        if last > values.len() {
            return Err(Failure::argument(format!(
                "the last offset is {last}, and there are {} bytes of values",
                values.len()
            )));
        }
        let size = (self.number(), false, last - first);
        let mut writer = match Writer::new(settings, work, stop, size, out) {
            Ok(writer) => writer,
            Err(needed) => return Ok(needed),
        };
        let mut start = 0;
        while start < self.number() {
            let end = self.group_end(start);
            self.write_group(start..end, values, scratch, &mut writer)?;
            start = end;
        }
        writer.finish(last - first)
    }

    /// The end of the group of rows that begins at `start`.
    fn group_end(&self, start: usize) -> usize {
        let enough = self.offsets[start].saturating_add(GROUP);
        let rest = &self.offsets[start + 1..self.number()];
        start + 1 + rest.partition_point(|&end| end < enough).min(GROUP)
    }

    fn write_group(
        &self,
        rows: Range<usize>,
        values: &[u8],
        scratch: &mut Scratch,
        writer: &mut Writer<'_>,
    ) -> Result<(), Failure> {
        let mut group = Group::default();
        let base = self.offsets[rows.start];
        let bytes = &values[base..self.offsets[rows.end]];
        let is_null = |row: usize| self.valid.get(row) == Some(&0);
        // What is behind a null may be anything, and neighbours may be valid together and not apart.
        let Ok(all) = simdutf8::basic::from_utf8(bytes) else {
            return self.write_one_by_one(rows, values, scratch, writer);
        };
        let is_apart = |row: usize| all.is_char_boundary(self.offsets[row] - base);
        if !(rows.start..rows.end).all(is_apart) {
            return self.write_one_by_one(rows, values, scratch, writer);
        }
        for row in rows {
            if is_null(row) {
                writer.reason(row, SLUICE_LINE_NOT_STRING);
            } else {
                group.add(self.offsets[row] - base..self.offsets[row + 1] - base, row)?;
            }
        }
        writer.group(all, &mut group, &mut scratch.room)
    }

    fn write_one_by_one(
        &self,
        rows: Range<usize>,
        values: &[u8],
        scratch: &mut Scratch,
        writer: &mut Writer<'_>,
    ) -> Result<(), Failure> {
        let mut group = Group::default();
        for row in rows {
            let bytes = &values[self.offsets[row]..self.offsets[row + 1]];
            if self.valid.get(row) == Some(&0) {
                writer.reason(row, SLUICE_LINE_NOT_STRING);
            } else if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
                group.add(0..text.len(), row)?;
                writer.group(text, &mut group, &mut scratch.room)?;
            } else {
                writer.reason(row, SLUICE_LINE_NOT_UTF8);
            }
        }
        Ok(())
    }
}
