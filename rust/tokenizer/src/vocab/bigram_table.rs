//! Direct-mapped tables of letter bigrams: their tokens, and the letters with which they could merge further.

use super::alphabet::BIGRAMS;

/// The tables that `build/bigrams.rs` writes.
pub(crate) struct BigramTable {
    /// By bigram, its token or [`NO_TOKEN`](super::alphabet::NO_TOKEN), and the flag
    /// [`IS_CROSSED`](super::alphabet::IS_CROSSED). Little-endian.
    pub(crate) tokens: &'static [[u8; 4]; BIGRAMS],
    /// By bigram, a bit for every third letter that completes a token of three letters, or begins the second bigram
    /// of a token of four letters. The first word is for the first half of the letters. Little-endian.
    pub(crate) followers: &'static [[u8; 4]; 2 * BIGRAMS],
}

impl BigramTable {
    pub(crate) fn new(tokens: &'static [u8], followers: &'static [u8]) -> Self {
        let tables = (tokens.as_chunks().0.first_chunk(), followers.as_chunks().0.first_chunk());
        let (Some(tokens), Some(followers)) = tables else { unreachable!("the build writes both") };
        Self { tokens, followers }
    }
}
