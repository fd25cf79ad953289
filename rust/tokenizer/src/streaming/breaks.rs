//! A finite-state machine that finds the ends of pre-tokens in a text that arrives character by character.
//!
//! The splitters of `pretokenize` find the end of a pre-token in a complete text. This machine implements the same
//! three patterns, takes one character at a time, and reports the end of a pre-token as soon as no continuation can
//! change it. The rest is the *open part*: one pre-token, or two if the pattern would backtrack at the end of the
//! text ([`Breaks::split`]).
//!
//! The patterns never look back past the beginning of a pre-token, so nothing before it is kept. Each character costs
//! amortized O(1): a step either takes it or ends a pre-token.

use crate::{
    tokenizer::encoding::Encoding,
    unicode::{Class, class},
};

/// A splitting pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    R50k,
    Cl100k,
    O200k,
}

/// The kind of the open part so far. Offsets are in bytes from its beginning.
#[derive(Clone, Copy, Debug)]
enum State {
    /// It is empty.
    Empty,
    /// A pre-token that is complete, whatever follows.
    Complete,
    /// One character that may be the prefix of a word or, if it is a space or a symbol, of symbols.
    Prefix { is_space: bool, is_symbol: bool },
    /// Letters.
    Letters,
    /// This many numbers.
    Numbers(u8),
    /// Symbols.
    Symbols,
    /// Symbols, and the line ends (and slashes) after them.
    SymbolsLineEnds,
    /// White space: the offset of its last character, whether that is a space, and the end of its last line end.
    Blank { last: usize, is_space: bool, line_end: Option<usize> },
    /// `o200k`: a word of upper-case letters, caseless letters and marks, and the end of the last one of the latter
    /// two.
    Capitals { shared: Option<usize> },
    /// `o200k`: a word with a lower-case letter.
    Lower,
    /// An apostrophe, or an apostrophe and a letter, that may become a contraction. In `o200k` it follows a word.
    Contraction { word: usize, letter: Option<char> },
}

/// The effect of a character on the open part.
enum Step {
    /// The character belongs to it.
    Take(State),
    /// A pre-token of this length ends. The rest is in this state, and the character is still to be taken.
    Break(usize, State),
}

/// The machine. It is small, so that a copy can be advanced tentatively.
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

    /// Takes the lower-case ASCII letters at the beginning of `text` if they only extend a word, and returns their
    /// number. Most text consists of them, and this avoids the lookup of their classes.
    #[inline]
    pub(super) fn take_lower_case(&mut self, text: &[u8]) -> usize {
        if !matches!(self.state, State::Letters | State::Lower) {
            return 0;
        }
        let letters = text.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        self.open += letters;
        letters
    }

    /// Takes a character, and calls `ended` with the length of every pre-token that it ends.
    #[inline]
    pub(super) fn take(&mut self, char: char, mut ended: impl FnMut(usize)) {
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
                        ended(length);
                    }
                }
            }
        }
    }

    /// The offset at which the open part would break in two if the text ended here. `None` if it would not break.
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
        let complete = Step::Break(self.open, State::Empty);
        match self.state {
            State::Empty => Step::Take(self.begin(char, class)),
            State::Complete => complete,
            State::Prefix { is_space, is_symbol } => {
                self.after_prefix(is_space, is_symbol, char, class)
            }
            State::Letters if class.is_letter() => Step::Take(State::Letters),
            State::Numbers(n) if class == Class::Number => match self.pattern {
                Pattern::R50k => Step::Take(State::Numbers(1)),
                _ if n < 3 => Step::Take(State::Numbers(n + 1)),
                _ => complete,
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
                Class::Lower => Step::Take(State::Lower),
                _ => match shared {
                    Some(shared) if shared < self.open => {
                        Step::Break(shared, State::Capitals { shared: None })
                    }
                    _ => self.after_word(char),
                },
            },
            State::Lower => match class {
                Class::Lower | Class::Letter | Class::Mark => Step::Take(State::Lower),
                _ => self.after_word(char),
            },
            State::Contraction { word, letter } => self.after_apostrophe(word, letter, char),
            State::Letters | State::Numbers(_) | State::Symbols | State::SymbolsLineEnds => {
                complete
            }
        }
    }

    /// The state of an open part that consists of `char`.
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

    /// White space that a non-space follows. It ends after its last line end, and then before its last character,
    /// which may belong to the next pre-token.
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

    /// `o200k`: a word that `char` does not extend.
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
                Step::Take(State::Complete)
            }
            (None, 'r' | 'v' | 'l') => Step::Take(State::Contraction { word, letter: Some(char) }),
            // In `r50k`, an apostrophe is no prefix of a word.
            _ if self.pattern == Pattern::R50k && letter.is_some() => {
                Step::Break(1, State::Letters)
            }
            _ => Step::Break(word, self.no_contraction(letter)),
        }
    }

    /// The state of an apostrophe, possibly with a letter, that is no contraction.
    fn no_contraction(&self, letter: Option<char>) -> State {
        match (self.pattern, letter) {
            (Pattern::R50k, None) => State::Symbols,
            (_, None) => State::Prefix { is_space: false, is_symbol: true },
            (Pattern::O200k, Some(letter)) if letter.is_ascii_uppercase() => {
                State::Capitals { shared: None }
            }
            (Pattern::O200k, Some(_)) => State::Lower,
            (_, Some(_)) => State::Letters,
        }
    }

    /// Whether `char` matches `[\r\n]*`, or `[\r\n/]*` in `o200k`, after symbols.
    fn follows_symbols(&self, char: char) -> bool {
        match char {
            '\r' | '\n' => self.pattern != Pattern::R50k,
            '/' => self.pattern == Pattern::O200k,
            _ => false,
        }
    }
}

/// `o200k`: the state of a word of one letter or mark, which ends at `end`.
fn word(class: Class, end: usize) -> State {
    match class {
        Class::Lower => State::Lower,
        Class::Upper => State::Capitals { shared: None },
        _ => State::Capitals { shared: Some(end) },
    }
}

#[cfg(test)]
mod tests;
