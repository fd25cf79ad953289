//! Failures of calls: a status, a sentence, and the numbers that belong to them.

use std::borrow::Cow;

use sluice_tokenizer::{BatchError, Error};

use crate::seam::status::SluiceStatus;

/// Indices of the numbers that `sluice_library_last_error_detail` writes. One that does not apply to an error
/// is NaN.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SluiceErrorDetail {
    /// The index of the text in its batch.
    TextIndex,
    /// The offset in the text, in bytes of UTF-8.
    ByteOffset,
    /// The token id.
    TokenId,
    /// The index of the token id in its list.
    TokenIndex,
    /// The index of the part in a call over several keys.
    PartIndex,
    /// The index of the limit in its limiter.
    LimitIndex,
}

/// How many numbers `sluice_library_last_error_detail` writes.
pub const SLUICE_ERROR_DETAILS: u32 = 6;

const _: () = assert!(SLUICE_ERROR_DETAILS == SluiceErrorDetail::LimitIndex as u32 + 1);

/// The numbers of a failure, by [`SluiceErrorDetail`]. NaN stands for one that does not apply.
pub(crate) type Numbers = [f64; SLUICE_ERROR_DETAILS as usize];

/// The numbers of a failure without any.
pub(crate) const NO_DETAILS: Numbers = [f64::NAN; SLUICE_ERROR_DETAILS as usize];

/// Why a call failed: a status, the message of `sluice_library_last_error`, and its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: SluiceStatus,
    pub(crate) message: Cow<'static, str>,
    /// Boxed, because every result of the ABI's functions has room for a failure.
    details: Option<Box<Numbers>>,
}

impl Failure {
    pub(crate) fn new(status: SluiceStatus, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), details: None }
    }

    /// The system has no memory for `what`.
    #[cold]
    pub(crate) fn memory(what: &'static str) -> Self {
        Self::new(SluiceStatus::OutOfMemory, format!("there is not enough memory for {what}"))
    }

    /// An argument is outside its contract.
    pub(crate) fn argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SluiceStatus::InvalidArgument, message)
    }

    /// `name` is not UTF-8: the first invalid character begins at byte `offset`.
    #[cold]
    pub(crate) fn invalid_utf8(name: &str, offset: usize) -> Self {
        Self::new(SluiceStatus::InvalidUtf8, format!("{name} is not valid UTF-8"))
            .with(SluiceErrorDetail::ByteOffset, offset)
    }

    /// The same failure with one more number.
    pub(crate) fn with(mut self, detail: SluiceErrorDetail, number: usize) -> Self {
        let numbers = self.details.get_or_insert_with(|| Box::new(NO_DETAILS));
        numbers[detail as usize] = number as f64;
        self
    }

    /// The numbers as they cross.
    pub(crate) fn numbers(&self) -> Numbers {
        self.details.as_deref().copied().unwrap_or(NO_DETAILS)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::SpecialToken { name, offset } => Self::new(
                SluiceStatus::SpecialToken,
                format!("text contains the special token {name}"),
            )
            .with(SluiceErrorDetail::ByteOffset, offset),
            Error::UnknownToken { id, index } => {
                Self::new(SluiceStatus::UnknownToken, format!("this encoding has no token id {id}"))
                    .with(SluiceErrorDetail::TokenId, id as usize)
                    .with(SluiceErrorDetail::TokenIndex, index)
            }
            Error::OutOfMemory => Self::memory("the text"),
        }
    }
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Text { index, error } => {
                Self::from(error).with(SluiceErrorDetail::TextIndex, index)
            }
            BatchError::Stopped => Self::new(SluiceStatus::Stopped, "the job was closed"),
            BatchError::OutOfMemory => Self::memory("the batch"),
        }
    }
}

/// The result of the body of an exported function: a non-negative number or a failure.
pub(crate) type Outcome = Result<i32, Failure>;

/// A count as the ABI returns it.
pub(crate) fn count(n: usize) -> Outcome {
    i32::try_from(n).map_err(|_| {
        Failure::new(SluiceStatus::TooLarge, format!("result {n} is greater than {}", i32::MAX))
    })
}

/// A name as messages show it: as much of it as fits on a line.
pub(crate) fn quoted(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}
