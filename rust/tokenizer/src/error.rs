//! Error types: a forbidden special token, an unknown id, a stopped batch, and memory exhaustion.

use std::{collections::TryReserveError, fmt};

/// Why a text or a list of ids was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The text contains a special token, which
    /// [`SpecialTokenMode::Error`](crate::SpecialTokenMode::Error) forbids.
    SpecialToken {
        /// The name of the special token.
        name: &'static str,
        /// The offset of the name, in bytes.
        offset: usize,
    },
    /// The id has no token in this encoding.
    UnknownToken {
        /// The id.
        id: u32,
        /// Its index in the list of ids.
        index: usize,
    },
    /// The system does not have the memory that the text requires.
    OutOfMemory,
}

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Self {
        Self::OutOfMemory
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpecialToken { name, offset } => {
                write!(f, "text contains the special token {name} at byte {offset}")
            }
            Self::UnknownToken { id, index } => {
                write!(f, "token id {id} at index {index} does not exist in this encoding")
            }
            Self::OutOfMemory => write!(f, "there is not enough memory"),
        }
    }
}

impl std::error::Error for Error {}

/// Why a batch has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// A text failed; it is the first that does.
    Text {
        /// The index of the text in the batch.
        index: usize,
        /// Why it failed.
        error: Error,
    },
    /// The batch was stopped.
    Stopped,
    /// The system does not have the memory that the batch requires.
    OutOfMemory,
}

impl From<TryReserveError> for BatchError {
    fn from(_: TryReserveError) -> Self {
        Self::OutOfMemory
    }
}
