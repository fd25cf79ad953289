//! Consumers of a token stream: counters, counters with a limit, and buffers of ids.

use crate::pretoken_cache::{CacheEntry, PackedIds, TokenCount};

/// Takes the tokens of a text in order.
pub(crate) trait Sink {
    /// What the cache of short pre-tokens stores for this consumer: ids or a count.
    type Entry: CacheEntry;

    /// Takes one token.
    fn token(&mut self, id: u32);

    /// Takes several tokens.
    fn tokens(&mut self, ids: &[u32]);

    /// Takes the tokens of a cached pre-token.
    fn entry(&mut self, entry: Self::Entry);

    /// Marks the end of a text.
    #[inline(always)]
    fn end_of_text(&mut self) {}

    /// Whether no more tokens are wanted.
    #[inline(always)]
    fn is_satisfied(&self) -> bool {
        false
    }

    /// The number of tokens so far, for [`rewind`](Self::rewind).
    fn mark(&self) -> usize;

    /// Drops the tokens since `mark`.
    fn rewind(&mut self, mark: usize);
}

/// Counts tokens until there are more than `limit`.
pub(crate) struct Count<const LIMITED: bool> {
    pub(crate) count: usize,
    pub(crate) limit: usize,
}

impl<const LIMITED: bool> Sink for Count<LIMITED> {
    type Entry = TokenCount;

    #[inline(always)]
    fn token(&mut self, _: u32) {
        self.count += 1;
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        self.count += ids.len();
    }

    #[inline(always)]
    fn entry(&mut self, TokenCount(count): TokenCount) {
        self.count += count;
    }

    #[inline(always)]
    fn is_satisfied(&self) -> bool {
        LIMITED && self.count > self.limit
    }

    fn mark(&self) -> usize {
        self.count
    }

    fn rewind(&mut self, mark: usize) {
        self.count = mark;
    }
}

/// Writes ids to a buffer while there is room, and counts all of them. Unless `EXACT`, up to four elements after the
/// last id may be overwritten, within the buffer.
pub(crate) struct Write<'a, const EXACT: bool> {
    pub(crate) count: usize,
    pub(crate) out: &'a mut [u32],
}

impl<const EXACT: bool> Write<'_, EXACT> {
    /// Writes the ids and nothing else.
    #[inline(always)]
    fn write_exactly(&mut self, packed: PackedIds) {
        packed.ids().for_each(|id| self.token(id));
    }

    /// The same at the end of the buffer.
    #[cold]
    fn write_last(&mut self, packed: PackedIds) {
        self.write_exactly(packed);
    }
}

impl<const EXACT: bool> Sink for Write<'_, EXACT> {
    type Entry = PackedIds;

    #[inline(always)]
    fn token(&mut self, id: u32) {
        if let Some(element) = self.out.get_mut(self.count) {
            *element = id;
        }
        self.count += 1;
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        for &id in ids {
            self.token(id);
        }
    }

    /// Writes three ids and a zero with one store, and then advances by the number of ids. That number is
    /// unpredictable, so nothing branches on it, except for the few pre-tokens with more than three.
    #[inline(always)]
    fn entry(&mut self, packed: PackedIds) {
        if EXACT {
            return self.write_exactly(packed);
        }
        let Some(out) = self.out.get_mut(self.count..).and_then(<[u32]>::first_chunk_mut) else {
            return self.write_last(packed);
        };
        let out: &mut [u32; PackedIds::MAX] = out;
        if let Some(first) = out.first_chunk_mut() {
            *first = packed.lanes();
        }
        if packed.count() > PackedIds::FIRST {
            out[PackedIds::FIRST..].copy_from_slice(&packed.later());
        }
        self.count += packed.count();
    }

    fn mark(&self) -> usize {
        self.count
    }

    fn rewind(&mut self, mark: usize) {
        self.count = mark;
    }
}

/// A token that is added to each of many texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndToken {
    /// There is none.
    #[default]
    None,
    /// After each text.
    After(u32),
    /// Before each text.
    Before(u32),
}

/// Forwards the tokens of many texts with the end token of each, and records the number of tokens up to the end of
/// each text.
pub(crate) struct EndsOf<'a, S> {
    sink: S,
    /// An element for each text.
    ends: std::slice::IterMut<'a, u32>,
    end_token: EndToken,
    /// How many texts have not ended.
    texts: usize,
}

impl<'a, S: Sink> EndsOf<'a, S> {
    /// Takes the tokens of this many texts.
    pub(crate) fn new(sink: S, ends: &'a mut [u32], end_token: EndToken, texts: usize) -> Self {
        let mut ends_of = Self { sink, ends: ends.iter_mut(), end_token, texts };
        ends_of.begin();
        ends_of
    }

    /// The sink itself, to which segments within a text can be passed.
    pub(crate) fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Begins the next text, if there is one.
    #[inline(always)]
    fn begin(&mut self) {
        if let EndToken::Before(id) = self.end_token
            && self.texts > 0
        {
            self.sink.token(id);
        }
    }
}

impl<S: Sink> Sink for EndsOf<'_, S> {
    type Entry = S::Entry;

    #[inline(always)]
    fn token(&mut self, id: u32) {
        self.sink.token(id);
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        self.sink.tokens(ids);
    }

    #[inline(always)]
    fn entry(&mut self, entry: Self::Entry) {
        self.sink.entry(entry);
    }

    #[inline(always)]
    fn end_of_text(&mut self) {
        if let EndToken::After(id) = self.end_token {
            self.sink.token(id);
        }
        if let Some(end) = self.ends.next() {
            *end = self.sink.mark() as u32;
        }
        self.texts -= 1;
        self.begin();
    }

    #[inline(always)]
    fn mark(&self) -> usize {
        self.sink.mark()
    }

    #[inline(always)]
    fn rewind(&mut self, mark: usize) {
        self.sink.rewind(mark);
    }
}

/// Collects ids.
impl Sink for Vec<u32> {
    type Entry = PackedIds;

    #[inline(always)]
    fn token(&mut self, id: u32) {
        self.push(id);
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        self.extend_from_slice(ids);
    }

    #[inline(always)]
    fn entry(&mut self, packed: PackedIds) {
        self.extend(packed.ids());
    }

    fn mark(&self) -> usize {
        self.len()
    }

    fn rewind(&mut self, mark: usize) {
        self.truncate(mark);
    }
}
