//! A validating pull parser of JSON (RFC 8259): a cursor that passes one value at a time, without recursion.
//!
//! It accepts exactly what `JSON.parse` accepts, or less: a document that is nested more deeply than [`DEPTH`] is
//! refused. That is harmless, because `JSON.parse` then decides. The bytes are valid UTF-8.

use super::scan::special_from;
use super::unescape::{Escape, Unescaped, escape};

/// The greatest depth of nesting within a value that is passed.
const DEPTH: usize = 1024;

/// A string of the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    /// Where its characters begin and end, without the quotation marks.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) has_escapes: bool,
}

/// A position in a document. Every function returns `None` where the document is refused.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of a document.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next byte.
    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next byte, which is passed.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Passes white space.
    #[inline(always)]
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Passes `byte`.
    #[inline(always)]
    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// Whether only white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.space();
        self.at == self.bytes.len()
    }

    /// The bytes of a string as they are in the document.
    pub(super) fn raw(&self, string: Raw) -> &'a [u8] {
        &self.bytes[string.start..string.end]
    }

    /// Passes a string whose first quotation mark was passed.
    #[inline]
    pub(super) fn string(&mut self) -> Option<Raw> {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at = special_from(self.bytes, self.at);
            match self.next()? {
                b'"' => return Some(Raw { start, end: self.at - 1, has_escapes }),
                b'\\' => {
                    has_escapes = true;
                    self.at += escape(&self.bytes[self.at..])?.length();
                }
                _ => return None,
            }
        }
    }

    /// Passes a string whose first quotation mark was passed, and writes its characters to `out` from its first
    /// escape on.
    #[inline]
    pub(super) fn text(&mut self, out: &mut Unescaped) -> Option<Raw> {
        let start = self.at;
        self.at = special_from(self.bytes, self.at);
        match self.peek()? {
            b'"' => {
                self.at += 1;
                Some(Raw { start, end: self.at - 1, has_escapes: false })
            }
            b'\\' => {
                self.at +=
                    out.rest_of_string(&self.bytes[start..], self.at - start)? - (self.at - start);
                Some(Raw { start, end: self.at - 1, has_escapes: true })
            }
            _ => None,
        }
    }

    /// Passes the name of a member and the colon behind it.
    pub(super) fn name(&mut self) -> Option<Raw> {
        self.space();
        self.expect(b'"')?;
        let name = self.string()?;
        self.space();
        self.expect(b':')?;
        Some(name)
    }

    /// Passes a value.
    pub(super) fn value(&mut self) -> Option<()> {
        let mut open = Nesting::default();
        loop {
            self.space();
            match self.next()? {
                b'"' => _ = self.string()?,
                b'{' => {
                    self.space();
                    if self.peek()? != b'}' {
                        open.push(true)?;
                        self.name()?;
                        continue;
                    }
                    self.at += 1;
                }
                b'[' => {
                    self.space();
                    if self.peek()? != b']' {
                        open.push(false)?;
                        continue;
                    }
                    self.at += 1;
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                first @ (b'-' | b'0'..=b'9') => self.number(first)?,
                _ => return None,
            }
            // Whatever ends here may end what contains it.
            loop {
                let Some(is_object) = open.last() else { return Some(()) };
                self.space();
                match (self.next()?, is_object) {
                    (b',', true) => {
                        self.name()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => open.pop(),
                    _ => return None,
                }
            }
        }
    }

    /// Passes the rest of a word whose first letter was passed.
    fn literal(&mut self, word: &[u8]) -> Option<()> {
        let start = self.at - 1;
        self.at = start + word.len();
        self.bytes[start..].starts_with(word).then_some(())
    }

    fn number(&mut self, first: u8) -> Option<()> {
        let first = if first == b'-' { self.next()? } else { first };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Some(())
    }

    fn some_digits(&mut self) -> Option<()> {
        let before = self.at;
        self.digits();
        (self.at > before).then_some(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }
}

/// Which of the open containers are objects: a stack of bits.
#[derive(Default)]
struct Nesting {
    depth: usize,
    objects: [u64; DEPTH / 64],
}

impl Nesting {
    fn push(&mut self, is_object: bool) -> Option<()> {
        let word = self.objects.get_mut(self.depth / 64)?;
        let bit = 1 << (self.depth % 64);
        *word = if is_object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Some(())
    }

    fn pop(&mut self) {
        self.depth -= 1;
    }

    fn last(&self) -> Option<bool> {
        let at = self.depth.checked_sub(1)?;
        Some(self.objects[at / 64] >> (at % 64) & 1 != 0)
    }
}

/// Whether the string `raw` is `name`. `None` for a string with a lone surrogate, which is no UTF-8.
pub(super) fn equals(raw: &[u8], has_escapes: bool, name: &[u8]) -> Option<bool> {
    if !has_escapes {
        return Some(raw == name);
    }
    let (mut raw, mut name, mut is_equal) = (raw, name, true);
    while let [first, rest @ ..] = raw {
        let mut utf8 = [0; 4];
        let mut taken = 1;
        let character = if *first == b'\\' {
            match escape(rest)? {
                Escape::Character { character, length } => {
                    taken += length;
                    character.encode_utf8(&mut utf8).as_bytes()
                }
                Escape::LoneSurrogate => return None,
            }
        } else {
            std::slice::from_ref(first)
        };
        match name.strip_prefix(character) {
            Some(rest) => name = rest,
            None => is_equal = false,
        }
        raw = &raw[taken..];
    }
    Some(is_equal && name.is_empty())
}
