//! What is remembered of a short piece: its tokens, two pieces in a cache line ([`pairs`](crate::pairs)),
//! or how many they are, four in a line ([`quads`](crate::quads)).

use crate::{lines::Line, packed::Packed, simd::Processor, vocabulary::Key};

/// What a sink wants to know of a piece, and how a line holds it.
///
/// The first piece of a line is looked at sooner than the others, so it is the one that was found again
/// last.
pub(crate) trait Known: Copy {
    /// Which of the tables holds it.
    const TABLE: usize;
    /// Whether it is only how many tokens there are.
    const COUNTED: bool;

    /// All pieces that a line has places for, with what is known of them; where there is none, a key of 0.
    fn all(line: &Line) -> impl Iterator<Item = (Key, Self)>;

    /// What is known of a piece with these tokens; none where they are too many to be remembered.
    fn of(tokens: &[u32]) -> Option<Self>;

    /// The same, of tokens that are in a word.
    fn of_packed(tokens: Packed) -> Self;

    /// What the line knows of its first piece, if that has this key.
    fn in_first<C: Processor>(line: &Line, key: Key, processor: C) -> Option<Self>;

    /// What the line knows of the piece with this key, which is the first one then.
    fn find(line: &mut Line, key: Key) -> Option<Self>;

    /// Keeps what is known of a piece that is not in the line, in place of one that was not found
    /// again.
    fn put(self, line: &mut Line, key: Key);
}
