//! The results of a chunk or a column, written to the caller's words as they come: groups of texts are tokenized in
//! one pass each, straight into the buffer.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use sluice_tokenizer::{SpecialTokenMode, Texts};

use super::settings::Settings;
use crate::seam::failure::{Failure, count};
use crate::seam::status::SluiceStatus;

/// Indices of the words before the results of a chunk of lines or a column.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceLinesHeader {
    /// How many bytes of the chunk were read: those of its complete lines.
    Consumed,
    /// The number of lines or rows.
    Lines,
    /// How many of them are neither documents nor blank nor unsure.
    Bad,
    /// How many of them are unsure.
    Unsure,
    /// The number of ids, or the sum of the counts.
    Ids,
    /// The greatest id, or `SLUICE_LINES_NO_ID` if there is none.
    MaxId,
}

/// How many words come before the results.
pub const SLUICE_LINES_HEADER: u32 = 6;
const _: () = assert!(SLUICE_LINES_HEADER == SluiceLinesHeader::MaxId as u32 + 1);

/// The greatest id of no ids.
pub const SLUICE_LINES_NO_ID: u32 = 4294967295;

/// A line is a document.
pub const SLUICE_LINE_OK: u32 = 0;
/// A line has only white space.
pub const SLUICE_LINE_BLANK: u32 = 1;
/// A line is not JSON.
pub const SLUICE_LINE_NOT_JSON: u32 = 2;
/// A line is JSON, but no object.
pub const SLUICE_LINE_NOT_OBJECT: u32 = 3;
/// An object does not have the field.
pub const SLUICE_LINE_NO_FIELD: u32 = 4;
/// The field is not a string, or the row is null.
pub const SLUICE_LINE_NOT_STRING: u32 = 5;
/// A line or a row is not UTF-8.
pub const SLUICE_LINE_NOT_UTF8: u32 = 6;
/// The text contains a special token, which is to be refused.
pub const SLUICE_LINE_SPECIAL_TOKEN: u32 = 7;
/// The text has an id of more than 16 bits.
pub const SLUICE_LINE_TOO_WIDE: u32 = 8;
/// A line is longer than a caller accepts. The library has no such limit.
pub const SLUICE_LINE_TOO_LONG: u32 = 9;
/// Whether a line has a text is for `JSON.parse` to decide.
pub const SLUICE_LINE_UNSURE: u32 = 10;

/// What is done with the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Count,
    Encode,
}

/// The texts of one group, as ranges of one string.
#[derive(Default)]
pub(super) struct Group {
    ranges: Vec<Range<usize>>,
    /// The line of each text.
    lines: Vec<usize>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.ranges.clear();
        self.lines.clear();
    }

    pub(super) fn add(&mut self, range: Range<usize>, line: usize) -> Result<(), Failure> {
        let room = self.ranges.try_reserve(1).and_then(|()| self.lines.try_reserve(1));
        room.map_err(|_| Failure::memory("the texts"))?;
        self.ranges.push(range);
        self.lines.push(line);
        Ok(())
    }
}

/// Memory that is reused from group to group.
#[derive(Default)]
pub(super) struct Room {
    ends: Vec<u32>,
    /// Ids before they are narrowed.
    wide: Vec<u32>,
}

/// Ids that are kept for the next group, at most.
const KEPT: usize = 1 << 18;

/// Where the results go.
pub(super) struct Writer<'a> {
    settings: &'a Settings,
    work: Work,
    stop: &'a AtomicBool,
    header: &'a mut [u32],
    /// Where each line begins; empty for columns.
    starts: &'a mut [u32],
    /// The counts of the lines, or where their ids end.
    ends: &'a mut [u32],
    reasons: &'a mut [u8],
    ids: &'a mut [u32],
    /// How many lines there are.
    lines: usize,
    /// The number of ids so far, or the sum of the counts.
    total: usize,
    max_id: Option<u32>,
    bad: u32,
    unsure: u32,
}

impl<'a> Writer<'a> {
    /// A writer to `out`, or how many words suffice if there is not enough room for what is known of `lines`.
    ///
    /// `bytes` is the most bytes that all texts together have.
    pub(super) fn new(
        settings: &'a Settings,
        work: Work,
        stop: &'a AtomicBool,
        (lines, has_starts, bytes): (usize, bool, usize),
        out: &'a mut [u32],
    ) -> Result<Self, usize> {
        let start_words = if has_starts { lines } else { 0 };
        let fixed = SLUICE_LINES_HEADER as usize + start_words + lines + lines.div_ceil(4);
        if out.len() < fixed {
            // No text has more ids than bytes, beside its end token.
            return Err(if work == Work::Count { fixed } else { fixed + bytes + lines });
        }
        let (header, out) = out.split_at_mut(SLUICE_LINES_HEADER as usize);
        let (starts, out) = out.split_at_mut(start_words);
        let (ends, out) = out.split_at_mut(lines);
        let (reasons, ids) = out.split_at_mut(lines.div_ceil(4));
        let reasons = &mut bytemuck::cast_slice_mut(reasons)[..lines];
        Ok(Self {
            settings,
            work,
            stop,
            header,
            starts,
            ends,
            reasons,
            ids,
            lines,
            total: 0,
            max_id: None,
            bad: 0,
            unsure: 0,
        })
    }

    /// Notes where a line begins.
    pub(super) fn start(&mut self, line: usize, start: usize) {
        self.starts[line] = start as u32;
    }

    /// Notes why a line has no text, or that it has one.
    pub(super) fn reason(&mut self, line: usize, reason: u32) {
        self.reasons[line] = reason as u8;
        match reason {
            SLUICE_LINE_OK | SLUICE_LINE_BLANK => {}
            SLUICE_LINE_UNSURE => self.unsure += 1,
            _ => self.bad += 1,
        }
    }

    /// Tokenizes the texts of a group, whose ranges are those of `all`, and empties it.
    pub(super) fn group(
        &mut self,
        all: &str,
        group: &mut Group,
        room: &mut Room,
    ) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::new(SluiceStatus::Stopped, "the job was closed"));
        }
        let Settings { tokenizer, special, end_token, .. } = *self.settings;
        let Group { ranges, lines } = group;
        let mut texts =
            Texts::with_capacity(all, ranges.len()).map_err(|_| Failure::memory("the texts"))?;
        let mut kept = 0;
        for at in 0..ranges.len() {
            let (range, line) = (ranges[at].clone(), lines[at]);
            let refused = special == SpecialTokenMode::Error
                && all
                    .get(range.clone())
                    .is_some_and(|text| tokenizer.check(text, special).is_err());
            if refused {
                self.reason(line, SLUICE_LINE_SPECIAL_TOKEN);
                continue;
            }
            if !texts.push(range) {
                return Err(Failure::argument(format!("row {line} is not a text of its column")));
            }
            self.reason(line, SLUICE_LINE_OK);
            lines[kept] = line;
            kept += 1;
        }
        // What passed the check has the same tokens in this mode, which need not check again.
        let special =
            if special == SpecialTokenMode::Error { SpecialTokenMode::Text } else { special };
        let lines = &lines[..kept];
        resize(&mut room.ends, kept)?;
        if self.work == Work::Encode && self.settings.is_narrow {
            self.encode_narrow(&texts, special, lines, room)?;
        } else if self.work == Work::Encode {
            let ends = &mut room.ends[..kept];
            let ids = self.ids.get_mut(self.total..).unwrap_or_default();
            let written = tokenizer.encode_each(&texts, special, end_token, ends, ids)?;
            let ids = &ids[..written.min(ids.len())];
            self.max_id = self.max_id.max(ids.iter().copied().max());
            for (&line, &end) in lines.iter().zip(&*ends) {
                self.ends[line] = (self.total + end as usize) as u32;
            }
            self.total += written;
        } else {
            let counts = &mut room.ends[..kept];
            tokenizer.count_each(&texts, special, counts)?;
            for (&line, &tokens) in lines.iter().zip(&*counts) {
                self.ends[line] = tokens;
                self.total += tokens as usize;
            }
        }
        group.clear();
        Ok(())
    }

    /// Encodes texts apart, and writes the ids of those whose ids all fit.
    fn encode_narrow(
        &mut self,
        texts: &Texts<'_>,
        special: SpecialTokenMode,
        lines: &[usize],
        Room { ends, wide }: &mut Room,
    ) -> Result<(), Failure> {
        let ends = &mut ends[..lines.len()];
        let most = texts.iter().map(|text| text.len() + 1).sum();
        resize(wide, most)?;
        let Settings { tokenizer, end_token, .. } = *self.settings;
        tokenizer.encode_each(texts, special, end_token, ends, wide)?;
        let out: &mut [u16] = bytemuck::cast_slice_mut(self.ids);
        let mut start = 0;
        for (&line, &end) in lines.iter().zip(&*ends) {
            let ids = &wide[start..end as usize];
            start = end as usize;
            let greatest = ids.iter().copied().max();
            if greatest.is_some_and(|id| id > u32::from(u16::MAX)) {
                self.reasons[line] = SLUICE_LINE_TOO_WIDE as u8;
                self.bad += 1;
                continue;
            }
            self.max_id = self.max_id.max(greatest);
            let to = out.get_mut(self.total..).unwrap_or_default();
            for (to, &id) in to.iter_mut().zip(ids) {
                *to = id as u16;
            }
            self.total += ids.len();
            self.ends[line] = self.total as u32;
        }
        if wide.len() > KEPT {
            *wide = Vec::new();
        }
        Ok(())
    }

    /// Completes the results, of which `consumed` bytes were read, and returns how many words they take.
    pub(super) fn finish(self, consumed: usize) -> Result<usize, Failure> {
        let mut before = 0;
        for (end, &reason) in self.ends.iter_mut().zip(&*self.reasons) {
            if u32::from(reason) == SLUICE_LINE_OK {
                before = *end;
            } else {
                *end = if self.work == Work::Count { 0 } else { before };
            }
        }
        // Offsets of ids must be words.
        count(self.total)?;
        let header = [
            (SluiceLinesHeader::Consumed, consumed as u32),
            (SluiceLinesHeader::Lines, self.lines as u32),
            (SluiceLinesHeader::Bad, self.bad),
            (SluiceLinesHeader::Unsure, self.unsure),
            (SluiceLinesHeader::Ids, self.total as u32),
            (SluiceLinesHeader::MaxId, self.max_id.unwrap_or(SLUICE_LINES_NO_ID)),
        ];
        for (at, value) in header {
            self.header[at as usize] = value;
        }
        let fixed =
            self.header.len() + self.starts.len() + self.ends.len() + self.lines.div_ceil(4);
        let id_words = match (self.work, self.settings.is_narrow) {
            (Work::Count, _) => 0,
            (Work::Encode, true) => self.total.div_ceil(2),
            (Work::Encode, false) => self.total,
        };
        Ok(fixed + id_words)
    }
}

fn resize(words: &mut Vec<u32>, length: usize) -> Result<(), Failure> {
    if let Some(more) = length.checked_sub(words.len()) {
        words.try_reserve(more).map_err(|_| Failure::memory("the ids"))?;
        words.resize(length, 0);
    }
    Ok(())
}
