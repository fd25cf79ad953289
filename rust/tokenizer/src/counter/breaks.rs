//! Where a text that is still growing is certain to break into pieces.
//!
//! The splitters (see `split`) are asked for the end of a piece in a text that is all there. This
//! is the same three patterns as machines that take one character at a time and tell the end of a
//! piece as soon as no continuation can change it. What is left is the *open* part: one piece, or
//! two where the pattern would give some of it back if the text ended here ([`Breaks::split`]).
//!
//! The patterns never look back past the beginning of a piece, so nothing before it is kept. Each
//! character costs O(1): a step either takes it or ends a piece.

use crate::{
    Encoding,
    unicode::{Class, class},
};

/// A splitting pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    R50k,
    Cl100k,
    O200k,
}

/// What the open part is so far. Places are bytes from its beginning.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing.
    Empty,
    /// A piece that is whole whatever follows.
    Whole,
    /// One character that may belong to a word or, a space or a symbol, to symbols behind it.
    Prefix { is_space: bool, is_symbol: bool },
    /// Letters.
    Letters,
    /// This many numbers.
    Numbers(u8),
    /// Symbols.
    Symbols,
    /// Symbols and the line ends (and slashes) behind them.
    SymbolsLineEnds,
    /// White space: where its last character begins, whether that is a space, and what the part
    /// that ends in a line end takes.
    Blank { last: usize, is_space: bool, line_end: Option<usize> },
    /// `o200k`: a word of capitals, caseless letters and marks, and where the last of the latter
    /// two ends.
    Capitals { shared: Option<usize> },
    /// `o200k`: a word with a small letter.
    Small,
    /// An apostrophe, or an apostrophe and a letter, that may become a contraction. In `o200k` it
    /// stands behind a word.
    Contraction { word: usize, letter: Option<char> },
}

/// What a character does to the open part.
enum Step {
    /// It belongs to it.
    Take(State),
    /// It shows that a piece of this length ends; the rest is in this state, and the character is
    /// still to be taken.
    Break(usize, State),
}

/// The machine. Small, so that a copy can try what a character would do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Breaks {
    pattern: Pattern,
    state: State,
    open: usize,
}

impl Breaks {
    pub(super) fn new(encoding: Encoding) -> Self {
        let pattern = match encoding {
            Encoding::R50kBase | Encoding::P50kBase | Encoding::P50kEdit => Pattern::R50k,
            Encoding::Cl100kBase => Pattern::Cl100k,
            Encoding::O200kBase | Encoding::O200kHarmony => Pattern::O200k,
        };
        Self { pattern, state: State::Empty, open: 0 }
    }

    /// Takes the small ASCII letters that `text` begins with where they only make a word longer,
    /// and returns how many: what most text is made of, without a look at each one's class.
    #[inline]
    pub(super) fn take_small_letters(&mut self, text: &[u8]) -> usize {
        if !matches!(self.state, State::Letters | State::Small) {
            return 0;
        }
        let letters = text.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        self.open += letters;
        letters
    }

    /// Takes a character and gives the length of every piece that it ends to `piece`.
    #[inline]
    pub(super) fn take(&mut self, char: char, mut piece: impl FnMut(usize)) {
        let class = class(u32::from(char));
        loop {
            match self.step(char, class) {
                Step::Take(state) => {
                    self.state = state;
                    self.open += char.len_utf8();
                    return;
                }
                Step::Break(length, state) => {
                    self.state = state;
                    self.open -= length;
                    if length > 0 {
                        piece(length);
                    }
                }
            }
        }
    }

    /// Where the open part would break in two if the text ended here; none if it would not.
    pub(super) fn split(&self) -> Option<usize> {
        let at = match self.state {
            State::Blank { line_end, .. } if self.pattern == Pattern::O200k => line_end,
            State::Capitals { shared } => shared,
            State::Contraction { word, .. } => Some(word),
            _ => None,
        };
        at.filter(|&at| 0 < at && at < self.open)
    }

    #[inline]
    fn step(&self, char: char, class: Class) -> Step {
        let end = self.open + char.len_utf8();
        let whole = Step::Break(self.open, State::Empty);
        match self.state {
            State::Empty => Step::Take(self.begin(char, class)),
            State::Whole => whole,
            State::Prefix { is_space, is_symbol } => {
                self.after_prefix(is_space, is_symbol, char, class)
            }
            State::Letters if class.is_letter() => Step::Take(State::Letters),
            State::Numbers(n) if class == Class::Number => match self.pattern {
                Pattern::R50k => Step::Take(State::Numbers(1)),
                _ if n < 3 => Step::Take(State::Numbers(n + 1)),
                _ => whole,
            },
            State::Symbols if class.is_symbol() => Step::Take(State::Symbols),
            State::Symbols | State::SymbolsLineEnds if self.follows_symbols(char) => {
                Step::Take(State::SymbolsLineEnds)
            }
            State::Blank { line_end, .. } if class.is_space() => {
                let is_end = class == Class::LineEnd && self.pattern != Pattern::R50k;
                let line_end = if is_end { Some(end) } else { line_end };
                Step::Take(State::Blank { last: self.open, is_space: char == ' ', line_end })
            }
            State::Blank { last, is_space, line_end } => self.after_blank(last, is_space, line_end),
            State::Capitals { shared } => match class {
                Class::Upper => Step::Take(State::Capitals { shared }),
                Class::Letter | Class::Mark => Step::Take(State::Capitals { shared: Some(end) }),
                Class::Lower => Step::Take(State::Small),
                _ => match shared {
                    Some(shared) if shared < self.open => {
                        Step::Break(shared, State::Capitals { shared: None })
                    }
                    _ => self.after_word(char),
                },
            },
            State::Small => match class {
                Class::Lower | Class::Letter | Class::Mark => Step::Take(State::Small),
                _ => self.after_word(char),
            },
            State::Contraction { word, letter } => self.after_apostrophe(word, letter, char),
            State::Letters | State::Numbers(_) | State::Symbols | State::SymbolsLineEnds => whole,
        }
    }

    /// The state of a piece that consists of `char`.
    fn begin(&self, char: char, class: Class) -> State {
        let is_space = char == ' ';
        let first = char.len_utf8();
        let blank = |line_end| State::Blank { last: 0, is_space, line_end };
        match (self.pattern, class) {
            (_, Class::Number) => State::Numbers(1),
            (Pattern::O200k, class) if class.is_letter_or_mark() => word(class, first),
            (Pattern::O200k, Class::LineEnd) => blank(Some(first)),
            (Pattern::O200k, _) => State::Prefix { is_space, is_symbol: class == Class::Other },
            (_, class) if class.is_letter() => State::Letters,
            _ if char == '\'' => State::Contraction { word: 0, letter: None },
            (Pattern::Cl100k, Class::LineEnd) => blank(Some(first)),
            (Pattern::Cl100k, _) => State::Prefix { is_space, is_symbol: class.is_symbol() },
            (Pattern::R50k, class) if class.is_symbol() => State::Symbols,
            (Pattern::R50k, _) if is_space => State::Prefix { is_space, is_symbol: false },
            (Pattern::R50k, _) => blank(None),
        }
    }

    fn after_prefix(&self, is_space: bool, is_symbol: bool, char: char, class: Class) -> Step {
        match (self.pattern, class) {
            (Pattern::O200k, class) if class.is_letter_or_mark() => {
                Step::Take(word(class, self.open + char.len_utf8()))
            }
            (_, class) if class.is_letter() => Step::Take(State::Letters),
            (Pattern::R50k, Class::Number) => Step::Take(State::Numbers(1)),
            _ if is_symbol => Step::Break(0, State::Symbols),
            (_, class) if is_space && class.is_symbol() => Step::Take(State::Symbols),
            (_, class) if class.is_space() => {
                Step::Break(0, State::Blank { last: 0, is_space, line_end: None })
            }
            _ => Step::Break(self.open, State::Empty),
        }
    }

    /// White space that no white space follows: all up to the last line end, then all but the last
    /// character, then that, which may belong to what follows.
    fn after_blank(&self, last: usize, is_space: bool, line_end: Option<usize>) -> Step {
        match line_end {
            Some(line_end) if line_end == self.open => Step::Break(self.open, State::Empty),
            Some(line_end) => Step::Break(
                line_end,
                State::Blank { last: last - line_end, is_space, line_end: None },
            ),
            None if last > 0 => {
                Step::Break(last, State::Blank { last: 0, is_space, line_end: None })
            }
            None if self.pattern == Pattern::R50k && !is_space => {
                Step::Break(self.open, State::Empty)
            }
            None => Step::Break(0, State::Prefix { is_space, is_symbol: false }),
        }
    }

    /// `o200k`: a word that `char` does not continue.
    fn after_word(&self, char: char) -> Step {
        if char == '\'' {
            Step::Take(State::Contraction { word: self.open, letter: None })
        } else {
            Step::Break(self.open, State::Empty)
        }
    }

    fn after_apostrophe(&self, word: usize, letter: Option<char>, char: char) -> Step {
        let folded = match self.pattern {
            Pattern::R50k => char,
            _ if char == 'ſ' => 's',
            _ => char.to_ascii_lowercase(),
        };
        let first = letter.map(|letter| match self.pattern {
            Pattern::R50k => letter,
            _ => letter.to_ascii_lowercase(),
        });
        match (first, folded) {
            (None, 's' | 't' | 'm' | 'd') | (Some('r' | 'v'), 'e') | (Some('l'), 'l') => {
                Step::Take(State::Whole)
            }
            (None, 'r' | 'v' | 'l') => Step::Take(State::Contraction { word, letter: Some(char) }),
            // An apostrophe takes no letter to itself in `r50k`.
            _ if self.pattern == Pattern::R50k && letter.is_some() => {
                Step::Break(1, State::Letters)
            }
            _ => Step::Break(word, self.no_contraction(letter)),
        }
    }

    /// The state of an apostrophe, and perhaps a letter, that are no contraction.
    fn no_contraction(&self, letter: Option<char>) -> State {
        match (self.pattern, letter) {
            (Pattern::R50k, None) => State::Symbols,
            (_, None) => State::Prefix { is_space: false, is_symbol: true },
            (Pattern::O200k, Some(letter)) if letter.is_ascii_uppercase() => {
                State::Capitals { shared: None }
            }
            (Pattern::O200k, Some(_)) => State::Small,
            (_, Some(_)) => State::Letters,
        }
    }

    /// What `[\r\n]*`, and `[\r\n/]*` in `o200k`, takes behind symbols.
    fn follows_symbols(&self, char: char) -> bool {
        match char {
            '\r' | '\n' => self.pattern != Pattern::R50k,
            '/' => self.pattern == Pattern::O200k,
            _ => false,
        }
    }
}

/// `o200k`: the state of a word that so far has one letter or mark, which ends at `end`.
fn word(class: Class, end: usize) -> State {
    match class {
        Class::Lower => State::Small,
        Class::Upper => State::Capitals { shared: None },
        _ => State::Capitals { shared: Some(end) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::{Cl100k, O200k, R50k, Splitter};

    const ATOMS: [&str; 17] = [
        "a", "s", "R", "E", "l", "中", "\u{301}", "1", " ", "\t", "\u{a0}", "\n", "/", "'", "!",
        "ſ", "Ll",
    ];

    /// Where the pieces of `text` end.
    fn ends<P: Splitter>(text: &str) -> Vec<usize> {
        let mut ends = vec![];
        while ends.last().copied().unwrap_or(0) < text.len() {
            ends.push(P::end(text.as_bytes(), ends.last().copied().unwrap_or(0)));
        }
        ends
    }

    /// After every character, the pieces that have ended and the open part, split as it says, are
    /// the pieces of the text up to there.
    fn check<P: Splitter>(encoding: Encoding, text: &str) {
        let mut breaks = Breaks::new(encoding);
        let mut ended = vec![];
        for (at, char) in text.char_indices() {
            let mut end = ended.last().copied().unwrap_or(0);
            breaks.take(char, |length| {
                end += length;
                ended.push(end);
            });
            let all = at + char.len_utf8();
            let mut now = ended.clone();
            if let Some(split) = breaks.split() {
                now.push(all - breaks.open + split);
            } else if P::end(&text.as_bytes()[..all], end) == end + 1 && breaks.open == 2 {
                // An apostrophe and a letter in `r50k`: too short to be asked.
                assert_eq!(breaks.pattern, Pattern::R50k);
                now.push(end + 1);
            }
            now.push(all);
            assert_eq!(now, ends::<P>(&text[..all]), "{} {:?}", encoding.name(), &text[..all]);
        }
        assert!(ends::<P>(text).starts_with(&ended));
    }

    #[test]
    fn pieces_end_where_the_splitters_say_after_every_character_of_every_short_text() {
        for number in 0..ATOMS.len().pow(4) {
            let mut text = String::new();
            let mut left = number;
            for _ in 0..4 {
                text.push_str(ATOMS[left % ATOMS.len()]);
                left /= ATOMS.len();
            }
            check::<R50k>(Encoding::R50kBase, &text);
            check::<Cl100k>(Encoding::Cl100kBase, &text);
            check::<O200k>(Encoding::O200kBase, &text);
        }
    }

    #[test]
    fn pieces_end_where_the_splitters_say_in_long_texts() {
        let mut state = 1u32;
        for _ in 0..4_000 {
            let mut text = String::new();
            for _ in 0..24 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(ATOMS[(state >> 8) as usize % ATOMS.len()]);
            }
            check::<R50k>(Encoding::R50kBase, &text);
            check::<Cl100k>(Encoding::Cl100kBase, &text);
            check::<O200k>(Encoding::O200kBase, &text);
        }
    }
}
