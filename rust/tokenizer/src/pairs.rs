//! A table of pairs of pieces, each pair in one cache line.
//!
//! Its zeros come from the allocator as they are, so that only what is used takes memory. That it does
//! only for what is aligned to 16 bytes (more it takes and then writes), so the table begins where
//! the first cache line does.

use crate::{packed::Packed, sink::Sink, vocabulary::Key};

/// Words of a pair, which are as many as a cache line has.
const WORDS: usize = 4;

/// `N` pairs, of pieces with none.
pub(crate) struct Pairs<const N: usize> {
    words: Box<[u128]>,
    /// Words before the first cache line.
    skip: usize,
}

/// Two pieces, each with its key, which has the number of its vocabulary, and its tokens; zeros where
/// there is none.
///
/// What is new takes the second place, and the first one as soon as it is found again, so that words
/// that come once push out one another and not those that come often. The second place is looked at
/// only for what is not the first.
pub(crate) type Pair = [u128; WORDS];

impl<const N: usize> Pairs<N> {
    pub(crate) fn new() -> Self {
        let words = vec![0; (N + 1) * WORDS].into_boxed_slice();
        let skip = (words.as_ptr() as usize / size_of::<u128>()).wrapping_neg() % WORDS;
        Self { words, skip }
    }

    #[inline(always)]
    pub(crate) fn all(&self) -> &[Pair; N] {
        let pairs = self.words.get(self.skip..).and_then(|words| words.as_chunks().0.first_chunk());
        let Some(pairs) = pairs else { unreachable!() };
        pairs
    }

    #[inline(always)]
    pub(crate) fn all_mut(&mut self) -> &mut [Pair; N] {
        let words = self.words.get_mut(self.skip..);
        let pairs = words.and_then(|words| words.as_chunks_mut().0.first_chunk_mut());
        let Some(pairs) = pairs else { unreachable!() };
        pairs
    }
}

/// Gives the tokens of the first piece to `sink`, if it has this key.
#[inline(always)]
pub(crate) fn give_first<S: Sink>(&[known, tokens, ..]: &Pair, key: Key, sink: &mut S) -> bool {
    if known == key {
        sink.packed(Packed(tokens));
    }
    known == key
}

/// The tokens of the piece with this key, which is the first one then.
#[inline(always)]
pub(crate) fn find(pair: &mut Pair, key: Key) -> Option<Packed> {
    let [first, first_tokens, second, second_tokens] = *pair;
    if second == key {
        *pair = [second, second_tokens, first, first_tokens];
    }
    (pair[0] == key).then_some(Packed(pair[1]))
}

/// Keeps the tokens of a piece that is not there.
pub(crate) fn put(pair: &mut Pair, key: Key, Packed(tokens): Packed) {
    let place = if pair[0] == 0 { 0 } else { 2 };
    [pair[place], pair[place + 1]] = [key, tokens];
}
