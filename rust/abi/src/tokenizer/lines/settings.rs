//! The settings of a reader as they cross: an array of words, and the name of the field.

use sluice_tokenizer::{EndToken, SpecialTokenMode, Tokenizer};

use super::field::Field;
use crate::seam::failure::Failure;
use crate::tokenizer::special::special_mode;

/// Indices of the settings of a reader.
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum SluiceLinesSetting {
    /// One of the `SLUICE_SPECIAL_*` constants. With `SLUICE_SPECIAL_ERROR` only the text itself is refused.
    Special,
    /// The bits of an id: 16 or 32. With 16, a text with a greater id is refused.
    Bits,
    /// Where the end token stands: one of the `SLUICE_END_*` constants.
    End,
    /// The id of the end token.
    EndToken,
}

/// How many settings a reader has.
pub const SLUICE_LINES_SETTINGS: u32 = 4;
const _: () = assert!(SLUICE_LINES_SETTINGS == SluiceLinesSetting::EndToken as u32 + 1);

/// No end token.
pub const SLUICE_END_NONE: u32 = 0;
/// The end token comes after each text.
pub const SLUICE_END_AFTER: u32 = 1;
/// The end token comes before each text.
pub const SLUICE_END_BEFORE: u32 = 2;

/// How texts are read and their ids written.
pub(crate) struct Settings {
    pub(super) tokenizer: &'static Tokenizer,
    pub(super) special: SpecialTokenMode,
    /// Whether an id has 16 bits.
    pub(super) is_narrow: bool,
    pub(super) end_token: EndToken,
    pub(super) field: Field,
}

impl Settings {
    pub(super) fn new(
        tokenizer: &'static Tokenizer,
        settings: &[u32],
        field: &str,
    ) -> Result<Self, Failure> {
        let &[special, bits, end, id] = settings else {
            return Err(Failure::argument(format!(
                "settings_len is {}, not {SLUICE_LINES_SETTINGS}",
                settings.len()
            )));
        };
        if bits != 16 && bits != 32 {
            return Err(Failure::argument(format!("the bits of an id are {bits}, not 16 or 32")));
        }
        let end_token = match end {
            SLUICE_END_NONE => EndToken::None,
            SLUICE_END_AFTER => EndToken::After(id),
            SLUICE_END_BEFORE => EndToken::Before(id),
            _ => return Err(Failure::argument(format!("end is {end}, not 0, 1 or 2"))),
        };
        if bits == 16 && end != SLUICE_END_NONE && id > u32::from(u16::MAX) {
            return Err(Failure::argument(format!("the end token {id} has more than 16 bits")));
        }
        Ok(Self {
            tokenizer,
            special: special_mode(special)?,
            is_narrow: bits == 16,
            end_token,
            field: Field::new(field).map_err(|_| Failure::memory("the field"))?,
        })
    }
}
