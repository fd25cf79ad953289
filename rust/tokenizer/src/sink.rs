//! Where tokens go: counted, counted up to a limit, or written to a buffer.

use crate::{known::Known, packed::Packed, quads::Counted};

/// Takes the tokens of a text in order.
pub(crate) trait Sink {
    /// What it wants to know of a piece.
    type Known: Known;

    /// Takes one token.
    fn token(&mut self, id: u32);

    /// Takes several tokens.
    fn tokens(&mut self, ids: &[u32]);

    /// Takes the tokens of a piece that is known.
    fn known(&mut self, known: Self::Known);

    /// Hears that a text ends here.
    #[inline(always)]
    fn end_of_text(&mut self) {}

    /// Whether no more tokens are wanted.
    #[inline(always)]
    fn is_satisfied(&self) -> bool {
        false
    }

    /// The number of tokens so far, to come back to with `rewind`.
    fn mark(&self) -> usize;

    /// Forgets the tokens since `mark`.
    fn rewind(&mut self, mark: usize);
}

/// Counts tokens until there are more than `limit`.
pub(crate) struct Count<const LIMITED: bool> {
    pub(crate) count: usize,
    pub(crate) limit: usize,
}

impl<const LIMITED: bool> Sink for Count<LIMITED> {
    type Known = Counted;

    #[inline(always)]
    fn token(&mut self, _: u32) {
        self.count += 1;
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        self.count += ids.len();
    }

    #[inline(always)]
    fn known(&mut self, Counted(count): Counted) {
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

/// Writes ids to a buffer while there is room, and counts all of them. Unless it is `EXACT`, four places
/// behind the last id may be overwritten, of those that the buffer has.
pub(crate) struct Write<'a, const EXACT: bool> {
    pub(crate) count: usize,
    pub(crate) out: &'a mut [u32],
}

impl<const EXACT: bool> Write<'_, EXACT> {
    /// Takes tokens and writes nothing else.
    #[inline(always)]
    fn one_by_one(&mut self, packed: Packed) {
        packed.ids().for_each(|id| self.token(id));
    }

    /// The same, where there is hardly room for more.
    #[cold]
    fn last(&mut self, packed: Packed) {
        self.one_by_one(packed);
    }
}

impl<const EXACT: bool> Sink for Write<'_, EXACT> {
    type Known = Packed;

    #[inline(always)]
    fn token(&mut self, id: u32) {
        if let Some(place) = self.out.get_mut(self.count) {
            *place = id;
        }
        self.count += 1;
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        for &id in ids {
            self.token(id);
        }
    }

    /// Writes three ids and a zero in one store, and counts those ids that there are: how many cannot be
    /// foreseen, so nothing branches on it. There hardly ever are more than three.
    #[inline(always)]
    fn known(&mut self, packed: Packed) {
        if EXACT {
            return self.one_by_one(packed);
        }
        let Some(places) = self.out.get_mut(self.count..).and_then(<[u32]>::first_chunk_mut) else {
            return self.last(packed);
        };
        let places: &mut [u32; Packed::MOST] = places;
        if let Some(first) = places.first_chunk_mut() {
            *first = packed.lanes();
        }
        if packed.count() > Packed::FEW {
            places[Packed::FEW..].copy_from_slice(&packed.later());
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

/// Takes the tokens of many texts, and notes how many there are up to the end of each.
pub(crate) struct EndsOf<'a, S> {
    pub(crate) sink: S,
    /// A place for each text.
    pub(crate) ends: std::slice::IterMut<'a, u32>,
}

impl<S: Sink> Sink for EndsOf<'_, S> {
    type Known = S::Known;

    #[inline(always)]
    fn token(&mut self, id: u32) {
        self.sink.token(id);
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        self.sink.tokens(ids);
    }

    #[inline(always)]
    fn known(&mut self, known: Self::Known) {
        self.sink.known(known);
    }

    #[inline(always)]
    fn end_of_text(&mut self) {
        if let Some(end) = self.ends.next() {
            *end = self.sink.mark() as u32;
        }
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
    type Known = Packed;

    #[inline(always)]
    fn token(&mut self, id: u32) {
        self.push(id);
    }

    #[inline(always)]
    fn tokens(&mut self, ids: &[u32]) {
        self.extend_from_slice(ids);
    }

    #[inline(always)]
    fn known(&mut self, packed: Packed) {
        self.extend(packed.ids());
    }

    fn mark(&self) -> usize {
        self.len()
    }

    fn rewind(&mut self, mark: usize) {
        self.truncate(mark);
    }
}
