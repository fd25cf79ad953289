//! Readers of JSON Lines and of columns of texts: whole chunks in, the ids or counts of all texts out.
//!
//! A reader has the settings that are the same for all chunks. A chunk of lines is validated, each line is searched
//! for its text, and all texts are tokenized, in one call. A line that is certainly JSON is read natively, and every
//! other one is left to `JSON.parse` as `SLUICE_LINE_UNSURE`, so that a line means what it means in JavaScript.
//!
//! # Results
//!
//! `uint32_t` words, in this order:
//!
//! | words | meaning |
//! |---|---|
//! | `SLUICE_LINES_HEADER` | see `SluiceLinesHeader`; the number of lines is `n` |
//! | `n`, not for columns | the offset of the first byte of each line in the chunk |
//! | `n` | where the ids of each line end, counted in ids; or the number of its tokens |
//! | `n` bytes, filled up to a word | the reason of each line, one of the `SLUICE_LINE_*` constants |
//! | the rest | the ids of all lines, of 16 or 32 bits each |

mod chunk;
pub mod column;
mod field;
mod json;
mod scan;
pub mod settings;
#[cfg(test)]
mod tests;
mod unescape;
pub mod writer;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::seam::boundary::boundary;
use crate::seam::failure::{Failure, count};
use crate::seam::objects::Objects;
use crate::seam::slice;
pub(crate) use crate::tokenizer::lines::chunk::Chunk;
use crate::tokenizer::lines::chunk::Scratch;
use crate::tokenizer::lines::column::Rows;
use crate::tokenizer::lines::settings::Settings;
pub(crate) use crate::tokenizer::lines::writer::Work;
use crate::tokenizer::resolve;

static READERS: Objects<Reader> = Objects::new("reader");

/// A synchronous call is never stopped.
static NEVER: AtomicBool = AtomicBool::new(false);

/// The settings, and memory that calls reuse.
struct Reader {
    settings: Arc<Settings>,
    scratch: Scratch,
    rows: Option<Arc<Rows>>,
}

/// Opens a reader and returns its handle. O(`field_len`).
///
/// `settings` are the words of `SluiceLinesSetting`. `field` (UTF-8) is where the text of a line is: the member of
/// that name or, if there is none, the value at the names and indices between its dots. Columns need none. The
/// handle lives until it is closed or the thread that opened it ends. Fails with `TOO_MANY_HANDLES` and
/// `OUT_OF_MEMORY`.
///
/// # Safety
/// `settings` points to `settings_len` readable words, `field` to `field_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_lines_open(
    tokenizer: u32,
    settings: *const u32,
    settings_len: u32,
    field: *const u8,
    field_len: u32,
) -> i32 {
    boundary(|| {
        let tokenizer = resolve(tokenizer)?;
        // SAFETY: the caller's contract.
        let settings = unsafe { slice::input("settings", settings, settings_len) }?;
        // SAFETY: the caller's contract.
        let field = unsafe { slice::text("field", field, field_len) }?;
        let settings = Arc::new(Settings::new(tokenizer, settings, field)?);
        READERS.open(Reader { settings, scratch: Scratch::default(), rows: None })
    })
}

/// Writes the ids of the texts of a chunk of lines, and returns how many words the results take.
///
/// `rust/abi/src/tokenizer/lines/mod.rs` describes the results. A last line without a line feed is complete if
/// `is_last` is not 0, else it is not read. A result greater than `out_cap` is enough room for another call; what
/// was written then has no meaning. O(`bytes_len`). Fails with `OUT_OF_MEMORY`.
///
/// # Safety
/// `bytes` points to `bytes_len` readable bytes, `out` to `out_cap` writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_lines_encode(
    reader: u32,
    bytes: *const u8,
    bytes_len: u32,
    is_last: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { write_lines(reader, (bytes, bytes_len), is_last, Work::Encode, (out, out_cap)) }
}

/// Writes the token counts of the texts of a chunk of lines, and returns how many words the results take.
///
/// As `sluice_lines_encode`, without ids. The settings of ids have no effect.
///
/// # Safety
/// `bytes` points to `bytes_len` readable bytes, `out` to `out_cap` writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_lines_count(
    reader: u32,
    bytes: *const u8,
    bytes_len: u32,
    is_last: u32,
    out: *mut u32,
    out_cap: u32,
) -> i32 {
    // SAFETY: the caller's contract.
    unsafe { write_lines(reader, (bytes, bytes_len), is_last, Work::Count, (out, out_cap)) }
}

/// Closes a reader. Jobs that it opened go on. O(1).
#[unsafe(no_mangle)]
pub extern "C" fn sluice_lines_close(reader: u32) -> i32 {
    boundary(|| READERS.close(reader).map(|_| 0))
}

/// # Safety
/// As [`sluice_lines_encode`].
unsafe fn write_lines(
    reader: u32,
    (bytes, bytes_len): (*const u8, u32),
    is_last: u32,
    work: Work,
    (out, out_cap): (*mut u32, u32),
) -> i32 {
    boundary(|| {
        // SAFETY: passed on from the caller.
        let bytes = unsafe { slice::input("bytes", bytes, bytes_len) }?;
        // SAFETY: passed on from the caller.
        let out = unsafe { slice::output("out", out, out_cap, bytes) }?;
        READERS.with(reader, |Reader { settings, scratch, .. }| {
            let chunk = Chunk { bytes, is_last: is_last != 0 };
            count(chunk.write(settings, work, scratch, &NEVER, out)?)
        })
    })
}

/// What a job does with the bytes that were written to it.
pub(crate) struct Task {
    settings: Arc<Settings>,
    work: Work,
    input: Input,
}

/// What the bytes of a job are.
enum Input {
    Lines { is_last: bool },
    Values(Arc<Rows>),
}

impl Task {
    /// Reads `bytes` with this reader.
    pub(crate) fn lines(reader: u32, work: Work, is_last: bool) -> Result<Self, Failure> {
        READERS.with(reader, |reader| {
            let settings = Arc::clone(&reader.settings);
            Ok(Self { settings, work, input: Input::Lines { is_last } })
        })
    }

    /// Reads the values of the rows that this reader has.
    pub(crate) fn column(reader: u32, work: Work) -> Result<Self, Failure> {
        READERS.with(reader, |reader| {
            let settings = Arc::clone(&reader.settings);
            Ok(Self { settings, work, input: Input::Values(reader.rows()?) })
        })
    }

    /// The results for these bytes.
    pub(crate) fn run(&self, bytes: &[u8], stop: &AtomicBool) -> Result<Vec<u32>, Failure> {
        let mut scratch = Scratch::default();
        let mut words = Vec::new();
        // Half as many words as bytes are enough for nearly every text.
        let mut room = bytes.len() / 2 + 64;
        loop {
            words.try_reserve_exact(room).map_err(|_| Failure::memory("the results"))?;
            words.resize(room, 0);
            let (settings, work) = (&*self.settings, self.work);
            let needed = match &self.input {
                Input::Lines { is_last } => {
                    let chunk = Chunk { bytes, is_last: *is_last };
                    chunk.write(settings, work, &mut scratch, stop, &mut words)?
                }
                Input::Values(rows) => {
                    rows.write(bytes, settings, work, &mut scratch, stop, &mut words)?
                }
            };
            if needed <= room {
                words.truncate(needed);
                words.shrink_to_fit();
                return Ok(words);
            }
            words.clear();
            room = needed;
        }
    }
}
