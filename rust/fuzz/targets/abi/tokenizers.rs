//! Calls about tokenizers, batches, jobs, counters, the cache and texts.

use arbitrary::Arbitrary;
use sluice::text::cut::{sluice_text_cut, sluice_text_valid};
use sluice::text::{sluice_text_from_latin1, sluice_text_from_utf16};
use sluice::tokenizer::batch::{sluice_batch_count, sluice_batch_encode};
use sluice::tokenizer::cache::{sluice_cache_open, sluice_cache_stats};
use sluice::tokenizer::counter::{sluice_counter_close, sluice_counter_open, sluice_counter_push};
use sluice::tokenizer::job::{
    sluice_job_close, sluice_job_open, sluice_job_open_reader, sluice_job_poll, sluice_job_read,
    sluice_job_stop, sluice_job_write,
};
use sluice::tokenizer::lines::column::{
    sluice_column_count, sluice_column_encode, sluice_column_set_rows,
};
use sluice::tokenizer::lines::{
    sluice_lines_close, sluice_lines_count, sluice_lines_encode, sluice_lines_open,
};
use sluice::tokenizer::{
    sluice_tokenizer_close, sluice_tokenizer_count, sluice_tokenizer_count_within,
    sluice_tokenizer_decode, sluice_tokenizer_encode, sluice_tokenizer_ends, sluice_tokenizer_open,
};
use std::time::{Duration, Instant};

use crate::state::{Handle, State, checked, room};

const ENCODINGS: [&str; 6] =
    ["r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base", "o200k_harmony"];

#[derive(Arbitrary, Debug)]
pub(crate) enum Call<'a> {
    Open(u8),
    Close(Handle),
    Count(Handle, &'a [u8], u8),
    CountWithin(Handle, &'a [u8], u8, u32),
    Encode(Handle, &'a [u8], u8, u8),
    Ends(Handle, &'a [u8], u8, u8),
    Decode(Handle, Vec<u32>, u8),
    Batch(Handle, Packed<'a>, u8, u8, bool),
    CacheOpen(u8),
    CacheStats(u8),
    CounterOpen(Handle, u8),
    CounterPush(Handle, &'a [u8], u8),
    CounterClose(Handle),
    JobOpen(Handle, u8, u8, u16),
    LinesOpen(Handle, [u8; 4], &'a [u8]),
    LinesOpenGood(Handle, u8, u8),
    Lines(Handle, &'a [u8], bool, u8, bool),
    LinesClose(Handle),
    ColumnRows(Handle, Vec<u32>, bool, &'a [u8]),
    Column(Handle, &'a [u8], u8, bool),
    JobOpenReader(Handle, u8, bool),
    JobWrite(Handle, Packed<'a>, bool),
    JobPoll(Handle),
    JobWait(Handle),
    JobRead(Handle, u32, u8),
    JobStop(Handle),
    JobClose(Handle),
    FromLatin1(&'a [u8], u8),
    FromUtf16(&'a [u8], u8),
    Cut(&'a [u8], u8),
}

/// A packed batch with a correct header, or arbitrary bytes.
#[derive(Arbitrary, Debug)]
pub(crate) enum Packed<'a> {
    Good { lengths: &'a [u8], text: &'a [u8], unit: bool, threads: u8 },
    Raw(&'a [u8]),
}

impl Packed<'_> {
    /// The bytes in words, so that they are aligned, and how many they are.
    fn words(&self) -> (Vec<u32>, u32) {
        let bytes = match self {
            Self::Raw(bytes) => bytes.to_vec(),
            Self::Good { lengths, text, unit, threads } => {
                let head = [lengths.len() as u32, (*unit).into(), u32::from(*threads % 3)];
                let words = head.into_iter().chain(lengths.iter().map(|&length| length.into()));
                let text = String::from_utf8_lossy(text);
                words.flat_map(u32::to_le_bytes).chain(text.bytes()).collect()
            }
        };
        let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |word, &b| word << 8 | u32::from(b));
        (bytes.chunks(4).map(word).collect(), bytes.len() as u32)
    }
}

const FIELDS: [&str; 4] = ["text", "a.b", "a.0", ""];

/// Checks what the results of a chunk say of its lines.
fn check_lines(bytes: &[u8], out: &[u32]) {
    let [consumed, lines] = [out[0] as usize, out[1] as usize];
    let whole = &bytes[..consumed];
    let ends = whole.iter().filter(|&&byte| byte == b'\n').count();
    assert!(lines == ends || lines == ends + 1 && consumed == bytes.len());
    let starts = &out[6..6 + lines];
    let mut lines = whole.split_inclusive(|&byte| byte == b'\n');
    let mut at = 0;
    for &start in starts {
        assert_eq!(start as usize, at);
        at += lines.next().map_or(0, <[u8]>::len);
    }
    assert_eq!(at, consumed);
}

impl Call<'_> {
    #[allow(clippy::undocumented_unsafe_blocks, reason = "see the one block")]
    pub(crate) fn run(&self, state: &mut State) {
        // SAFETY: pointers, lengths and capacities come from live buffers, all of them.
        unsafe { self.call(state) }
    }

    /// # Safety
    /// No condition: all pointers are live and as long as their lengths.
    unsafe fn call(&self, state: &mut State) {
        let length = |bytes: &[u8]| bytes.len() as u32;
        match *self {
            Self::Open(which) => {
                let name = ENCODINGS[usize::from(which) % ENCODINGS.len()].as_bytes();
                state.opened(unsafe { sluice_tokenizer_open(name.as_ptr(), length(name)) });
            }
            Self::Close(handle) => {
                checked(sluice_tokenizer_close(state.handle(handle)));
            }
            Self::Count(handle, text, mode) => {
                let count = |mode: u8| unsafe {
                    let handle = state.handle(handle);
                    sluice_tokenizer_count(handle, text.as_ptr(), length(text), mode.into())
                };
                let (cached, plain) = (checked(count(mode % 8)), checked(count(mode % 4)));
                assert!(cached < 0 || plain < 0 || cached == plain, "{cached} is not {plain}");
            }
            Self::CountWithin(handle, text, mode, limit) => {
                let (handle, mode) = (state.handle(handle), u32::from(mode % 4));
                checked(unsafe {
                    sluice_tokenizer_count_within(handle, text.as_ptr(), length(text), mode, limit)
                });
            }
            Self::Encode(handle, text, mode, capacity)
            | Self::Ends(handle, text, mode, capacity) => {
                let write = if matches!(self, Self::Encode(..)) {
                    sluice_tokenizer_encode
                } else {
                    sluice_tokenizer_ends
                };
                let (handle, mode) = (state.handle(handle), u32::from(mode % 4));
                let mut out = room(capacity);
                let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                checked(unsafe { write(handle, text.as_ptr(), length(text), mode, at, cap) });
            }
            Self::Decode(handle, ref ids, capacity) => {
                let mut out = room(capacity);
                let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                let handle = state.handle(handle);
                checked(unsafe {
                    sluice_tokenizer_decode(handle, ids.as_ptr(), ids.len() as u32, at, cap)
                });
            }
            Self::Batch(handle, ref packed, mode, capacity, encode) => {
                let call = if encode { sluice_batch_encode } else { sluice_batch_count };
                let ((words, bytes), mut out) = (packed.words(), room(capacity));
                let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                let handle = state.handle(handle);
                checked(unsafe {
                    call(handle, words.as_ptr().cast(), bytes, (mode % 8).into(), at, cap)
                });
            }
            Self::CacheOpen(entries) => {
                checked(sluice_cache_open(entries.into()));
            }
            Self::CacheStats(capacity) => {
                let mut out = room(capacity);
                checked(unsafe { sluice_cache_stats(out.as_mut_ptr(), out.len() as u32) });
            }
            _ => unsafe { self.call_stateful(state) },
        }
    }

    /// # Safety
    /// As for `call`.
    unsafe fn call_lines(&self, state: &mut State) {
        let length = |bytes: &[u8]| bytes.len() as u32;
        match *self {
            Self::LinesOpen(handle, settings, field) => {
                let settings = settings.map(|setting| u32::from(setting) % 33);
                let handle = state.handle(handle);
                state.opened(unsafe {
                    sluice_lines_open(handle, settings.as_ptr(), 4, field.as_ptr(), length(field))
                });
            }
            Self::LinesOpenGood(handle, kind, field) => {
                let bits = if kind & 1 == 0 { 16 } else { 32 };
                let settings = [u32::from(kind >> 1) % 3, bits, u32::from(kind >> 3) % 3, 7];
                let field = FIELDS[usize::from(field) % FIELDS.len()].as_bytes();
                let handle = state.handle(handle);
                state.opened(unsafe {
                    sluice_lines_open(handle, settings.as_ptr(), 4, field.as_ptr(), length(field))
                });
            }
            Self::Lines(handle, bytes, last, capacity, encode) => {
                let call = if encode { sluice_lines_encode } else { sluice_lines_count };
                let handle = state.handle(handle);
                let write = |capacity: usize| {
                    let mut out = room::<u32>(capacity);
                    let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                    let words = checked(unsafe {
                        call(handle, bytes.as_ptr(), length(bytes), last.into(), at, cap)
                    });
                    (words, out)
                };
                let (needed, _) = write(capacity.into());
                if let Ok(needed) = usize::try_from(needed) {
                    let (words, out) = write(needed);
                    assert!(words as usize <= needed, "{words} words do not fit into {needed}");
                    check_lines(bytes, &out);
                }
            }
            Self::LinesClose(handle) => {
                checked(sluice_lines_close(state.handle(handle)));
            }
            Self::ColumnRows(handle, ref offsets, large, valid) => {
                let handle = state.handle(handle);
                let (at, many) = (offsets.as_ptr(), offsets.len() as u32);
                checked(unsafe {
                    let (valid, rows) = (valid.as_ptr(), length(valid));
                    sluice_column_set_rows(handle, at, many, large.into(), valid, rows)
                });
            }
            Self::Column(handle, values, capacity, encode) => {
                let call = if encode { sluice_column_encode } else { sluice_column_count };
                let (mut out, handle) = (room(capacity), state.handle(handle));
                let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                checked(unsafe { call(handle, values.as_ptr(), length(values), at, cap) });
            }
            _ => {}
        }
    }

    /// # Safety
    /// As for `call`.
    unsafe fn call_stateful(&self, state: &mut State) {
        let length = |bytes: &[u8]| bytes.len() as u32;
        match *self {
            Self::CounterOpen(handle, mode) => {
                state.opened(sluice_counter_open(state.handle(handle), (mode % 4).into()));
            }
            Self::CounterPush(handle, text, flags) => {
                let (handle, flags) = (state.handle(handle), u32::from(flags % 5));
                checked(unsafe { sluice_counter_push(handle, text.as_ptr(), length(text), flags) });
            }
            Self::CounterClose(handle) => {
                checked(sluice_counter_close(state.handle(handle)));
            }
            Self::JobOpen(handle, mode, kind, bytes) => {
                let (mode, kind) = ((mode % 4).into(), (kind % 3).into());
                state.opened(sluice_job_open(state.handle(handle), mode, kind, bytes.into()));
            }
            Self::JobOpenReader(handle, kind, last) => {
                let (handle, kind) = (state.handle(handle), (kind % 7).into());
                state.opened(sluice_job_open_reader(handle, kind, last.into(), 0));
            }
            Self::JobWrite(handle, ref packed, last) => {
                let (words, bytes) = packed.words();
                let handle = state.handle(handle);
                checked(unsafe {
                    sluice_job_write(handle, words.as_ptr().cast(), bytes, last.into())
                });
            }
            Self::JobPoll(handle) => {
                checked(sluice_job_poll(state.handle(handle)));
            }
            Self::JobWait(handle) => {
                let deadline = Instant::now() + Duration::from_secs(15);
                while checked(sluice_job_poll(state.handle(handle))) == 0 {
                    assert!(Instant::now() < deadline, "a job hangs");
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            Self::JobRead(handle, start, capacity) => {
                let mut out = room(capacity);
                let (at, cap) = (out.as_mut_ptr(), out.len() as u32);
                checked(unsafe { sluice_job_read(state.handle(handle), start, at, cap) });
            }
            Self::JobStop(handle) => {
                checked(sluice_job_stop(state.handle(handle)));
            }
            Self::JobClose(handle) => {
                checked(sluice_job_close(state.handle(handle)));
            }
            Self::LinesOpen(..)
            | Self::LinesOpenGood(..)
            | Self::Lines(..)
            | Self::LinesClose(_)
            | Self::ColumnRows(..)
            | Self::Column(..) => unsafe { self.call_lines(state) },
            Self::FromLatin1(units, capacity) | Self::FromUtf16(units, capacity) => {
                let write = if matches!(self, Self::FromLatin1(..)) {
                    sluice_text_from_latin1
                } else {
                    sluice_text_from_utf16
                };
                let mut out = room(usize::from(capacity) * 4);
                let (at, cap) = (out.as_mut_ptr(), length(&out));
                let written = checked(unsafe { write(units.as_ptr(), length(units), at, cap) });
                if let Ok(written) = usize::try_from(written) {
                    assert!(std::str::from_utf8(&out[..written]).is_ok(), "no UTF-8");
                }
            }
            Self::Cut(text, from) => {
                let valid = checked(unsafe { sluice_text_valid(text.as_ptr(), length(text)) });
                let from = u32::from(from);
                let at = checked(unsafe { sluice_text_cut(text.as_ptr(), length(text), from) });
                assert!(at == 0 || at as u32 >= from && at < text.len() as i32, "cut at {at}");
                let whole = usize::try_from(valid).expect("a length") == text.len();
                assert_eq!(whole, std::str::from_utf8(text).is_ok());
            }
            _ => unreachable!("the other half has it"),
        }
    }
}
