//! What can go wrong: text that may not be there, ids that do not exist, and memory that there is none of.

use std::{collections::TryReserveError, fmt};

/// Why a text or a list of ids was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The text contains a special token although [`Special::Error`](crate::Special::Error) was
    /// asked for.
    SpecialToken {
        /// The special token that was found.
        name: &'static str,
        /// Where it begins, in bytes.
        offset: usize,
    },
    /// The id has no token in this encoding.
    UnknownToken {
        /// The id.
        id: u32,
        /// Its place in the list of ids.
        index: usize,
    },
    /// The system has no memory for something whose size follows from a text.
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
