//! How the text of a special token, such as `<|endoftext|>`, is treated, as it crosses.

use sluice_tokenizer::SpecialTokenMode;

use crate::seam::failure::Failure;

/// The text of a special token counts as the ordinary text that it is.
pub const SLUICE_SPECIAL_TEXT: u32 = 0;
/// The text of a special token becomes that token.
pub const SLUICE_SPECIAL_ALLOW: u32 = 1;
/// The text of a special token fails the call with `SLUICE_STATUS_SPECIAL_TOKEN`.
pub const SLUICE_SPECIAL_ERROR: u32 = 2;

/// The mode that a `SLUICE_SPECIAL_*` constant names.
#[inline]
pub(crate) fn special_mode(special: u32) -> Result<SpecialTokenMode, Failure> {
    match special {
        SLUICE_SPECIAL_TEXT => Ok(SpecialTokenMode::Text),
        SLUICE_SPECIAL_ALLOW => Ok(SpecialTokenMode::Allow),
        SLUICE_SPECIAL_ERROR => Ok(SpecialTokenMode::Error),
        _ => Err(Failure::argument(format!("special is {special}, not 0, 1 or 2"))),
    }
}
