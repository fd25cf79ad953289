//! A pass over a chunk of lines: blocks of whole lines are validated, searched for their texts, and tokenized, while
//! each block is in the cache.
//!
//! A text without escapes is tokenized where it is. A text with escapes is written to a buffer first, and so is a
//! short one beside such a text, because a change between the two costs more than a short copy.

use std::sync::atomic::AtomicBool;

use memchr::{memchr, memchr_iter};

use super::field::Found;
use super::settings::Settings;
use super::unescape::Unescaped;
use super::writer::{
    Group, Room, SLUICE_LINE_BLANK, SLUICE_LINE_NO_FIELD, SLUICE_LINE_NOT_OBJECT,
    SLUICE_LINE_NOT_STRING, SLUICE_LINE_NOT_UTF8, SLUICE_LINE_UNSURE, Work, Writer,
};
use crate::seam::failure::Failure;
use crate::seam::slice;

/// The size of a block: with its texts and their ids it fits into the second-level cache.
const BLOCK: usize = 128 << 10;

/// A text that is at least as long is not copied to save a change of buffers.
const LONG: usize = 1 << 10;

/// Which string the texts of a group are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Source {
    #[default]
    Block,
    Buffer,
}

/// Memory that is reused from chunk to chunk.
#[derive(Default)]
pub(crate) struct Scratch {
    unescaped: Unescaped,
    group: Group,
    source: Source,
    pub(super) room: Room,
}

impl Scratch {
    /// Drops what a call that failed left.
    fn clear(&mut self) {
        self.group.clear();
        self.unescaped.clear();
    }

    /// Tokenizes the group.
    fn flush(&mut self, block: &str, writer: &mut Writer<'_>) -> Result<(), Failure> {
        match self.source {
            Source::Block => writer.group(block, &mut self.group, &mut self.room),
            Source::Buffer => {
                let buffer = slice::utf8("text", self.unescaped.bytes())?;
                writer.group(buffer, &mut self.group, &mut self.room)?;
                self.unescaped.clear();
                Ok(())
            }
        }
    }

    /// Begins a group of another source, unless it is the one of the group.
    fn turn_to(
        &mut self,
        source: Source,
        block: &str,
        writer: &mut Writer<'_>,
    ) -> Result<(), Failure> {
        if self.source != source && !self.group.is_empty() {
            self.flush(block, writer)?;
        }
        self.source = source;
        Ok(())
    }
}

/// A chunk of lines, the last of which may be incomplete.
#[derive(Clone, Copy)]
pub(crate) struct Chunk<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether the last line is complete without a line feed.
    pub(crate) is_last: bool,
}

impl Chunk<'_> {
    /// Writes the results of `work` on all complete lines to `out`, as far as there is room, and returns how many
    /// words are enough for them. O(bytes).
    pub(crate) fn write(
        self,
        settings: &Settings,
        work: Work,
        scratch: &mut Scratch,
        stop: &AtomicBool,
        out: &mut [u32],
    ) -> Result<usize, Failure> {
        let (bytes, lines) = self.complete_lines();
        let mut writer = match Writer::new(settings, work, stop, (lines, true, bytes.len()), out) {
            Ok(writer) => writer,
            Err(needed) => return Ok(needed),
        };
        let (mut at, mut line) = (0, 0);
        while at < bytes.len() {
            let end = block_end(bytes, at);
            let block = Block { bytes: &bytes[at..end], start: at, first_line: line };
            line += block.write(settings, scratch, &mut writer)?;
            at = end;
        }
        writer.finish(bytes.len())
    }

    /// The bytes of the complete lines, and their number.
    fn complete_lines(&self) -> (&[u8], usize) {
        let Self { bytes, is_last } = *self;
        let feeds = memchr_iter(b'\n', bytes).count();
        let complete = memchr_iter(b'\n', bytes).next_back().map_or(0, |feed| feed + 1);
        if is_last && complete < bytes.len() {
            (bytes, feeds + 1)
        } else {
            (&bytes[..complete], feeds)
        }
    }
}

/// The end of the last line that ends in the block at `at`, or of its first one if that is longer.
fn block_end(bytes: &[u8], at: usize) -> usize {
    let Some(rest) = bytes.get(at + BLOCK..) else { return bytes.len() };
    if let Some(feed) = memchr_iter(b'\n', &bytes[at..at + BLOCK]).next_back() {
        return at + feed + 1;
    }
    memchr(b'\n', rest).map_or(bytes.len(), |feed| at + BLOCK + feed + 1)
}

/// Consecutive whole lines.
struct Block<'a> {
    bytes: &'a [u8],
    /// Where it begins in the chunk.
    start: usize,
    first_line: usize,
}

impl Block<'_> {
    /// Writes the results of the lines, and returns their number.
    fn write(
        &self,
        settings: &Settings,
        scratch: &mut Scratch,
        writer: &mut Writer<'_>,
    ) -> Result<usize, Failure> {
        scratch.clear();
        let valid = simdutf8::basic::from_utf8(self.bytes).ok();
        // Without a valid block, no text is in it.
        let text = valid.unwrap_or_default();
        let (mut at, mut line) = (0, self.first_line);
        while at < self.bytes.len() {
            let length = memchr(b'\n', &self.bytes[at..]).unwrap_or(self.bytes.len() - at);
            let bytes = &self.bytes[at..at + length];
            writer.start(line, self.start + at);
            scratch.unescaped.reserve(length).map_err(|_| Failure::memory("the texts"))?;
            let is_valid = valid.is_some() || simdutf8::basic::from_utf8(bytes).is_ok();
            let found =
                if is_valid { settings.field.find(bytes, &mut scratch.unescaped) } else { None };
            match found {
                Some(Found::Plain { start, end }) => {
                    let (start, end) = (at + start, at + end);
                    let is_in_place = end - start >= LONG
                        || scratch.source == Source::Block
                        || scratch.group.is_empty();
                    if is_in_place && valid.is_some() {
                        scratch.turn_to(Source::Block, text, writer)?;
                        scratch.group.add(start..end, line)?;
                    } else {
                        scratch.turn_to(Source::Buffer, text, writer)?;
                        let copy = scratch.unescaped.used();
                        scratch.unescaped.push(&self.bytes[start..end]);
                        scratch.group.add(copy..scratch.unescaped.used(), line)?;
                    }
                }
                Some(Found::Unescaped { start, end }) => {
                    scratch.turn_to(Source::Buffer, text, writer)?;
                    scratch.group.add(start..end, line)?;
                }
                Some(Found::Other) => writer.reason(line, SLUICE_LINE_NOT_STRING),
                Some(Found::Missing) => writer.reason(line, SLUICE_LINE_NO_FIELD),
                Some(Found::NotObject) => writer.reason(line, SLUICE_LINE_NOT_OBJECT),
                Some(Found::Blank) => writer.reason(line, SLUICE_LINE_BLANK),
                None if is_valid => writer.reason(line, SLUICE_LINE_UNSURE),
                None => writer.reason(line, SLUICE_LINE_NOT_UTF8),
            }
            at += length + 1;
            line += 1;
        }
        scratch.flush(text, writer)?;
        Ok(line - self.first_line)
    }
}
