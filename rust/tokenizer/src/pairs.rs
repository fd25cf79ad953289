//! A cache line of two pieces, each with its key and its tokens; zeros where there is none.
//!
//! What is new takes the second place, and the first one as soon as it is found again, so that words
//! that come once push out one another and not those that come often. The second place is looked at
//! only for what is not the first.

use crate::{known::Known, lines::Line, packed::Packed, simd::Processor, vocabulary::Key};

impl Known for Packed {
    const TABLE: usize = 0;
    const COUNTED: bool = false;

    fn all(
        &[first, first_tokens, second, second_tokens]: &Line,
    ) -> impl Iterator<Item = (Key, Self)> {
        [(first, Self(first_tokens)), (second, Self(second_tokens))].into_iter()
    }

    #[inline(always)]
    fn of(tokens: &[u32]) -> Option<Self> {
        (tokens.len() <= Self::MOST).then(|| Self::new(tokens))
    }

    #[inline(always)]
    fn of_packed(tokens: Packed) -> Self {
        tokens
    }

    #[inline(always)]
    fn in_first<C: Processor>(&[known, tokens, ..]: &Line, key: Key, _: C) -> Option<Self> {
        (known == key).then_some(Self(tokens))
    }

    #[inline(always)]
    fn find(line: &mut Line, key: Key) -> Option<Self> {
        let [first, first_tokens, second, second_tokens] = *line;
        if second == key {
            *line = [second, second_tokens, first, first_tokens];
        }
        (line[0] == key).then_some(Self(line[1]))
    }

    fn put(self, line: &mut Line, key: Key) {
        let place = if line[0] == 0 { 0 } else { 2 };
        [line[place], line[place + 1]] = [key, self.0];
    }
}
