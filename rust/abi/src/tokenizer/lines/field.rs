//! A search for the text of a line: the member with the name of the field or, if there is none, the value at the
//! path that the name has between its dots.
//!
//! As in `JSON.parse`, the last of several members of one name counts.

use std::collections::TryReserveError;

use super::json::{Cursor, Raw, equals};
use super::unescape::Unescaped;

/// A path of more steps is not searched natively, because a search is as deep as its path.
const MOST_STEPS: usize = 64;

/// The field of the texts.
pub(crate) struct Field {
    name: Box<[u8]>,
    /// The steps of the path; none if the name has no dots.
    path: Box<[Step]>,
}

/// A name of a member, or the index of an element.
struct Step {
    name: Box<[u8]>,
    /// The index, if the name is one as JavaScript writes it.
    index: Option<usize>,
}

/// What a line has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    /// A text without escapes, in the line.
    Plain { start: usize, end: usize },
    /// A text that had escapes, in the buffer.
    Unescaped { start: usize, end: usize },
    /// A value that is no string.
    Other,
    /// There is no such member.
    Missing,
    /// The line is a value that is no object.
    NotObject,
    /// The line has only white space.
    Blank,
}

impl Field {
    /// The field `name`.
    pub(crate) fn new(name: &str) -> Result<Self, TryReserveError> {
        let path: Box<[Step]> = if name.contains('.') {
            name.split('.').take(MOST_STEPS + 1).map(Step::new).collect::<Result<_, _>>()?
        } else {
            Box::default()
        };
        Ok(Self { name: boxed(name.as_bytes())?, path })
    }

    /// What `line` has. `None` if it is not certain that `JSON.parse` accepts the line. The line is valid UTF-8, and
    /// there is room in `out` for all of it.
    pub(super) fn find(&self, line: &[u8], out: &mut Unescaped) -> Option<Found> {
        if self.path.len() > MOST_STEPS {
            return None;
        }
        let mut cursor = Cursor::new(line);
        cursor.space();
        match cursor.peek() {
            None => return Some(Found::Blank),
            Some(b'{') => {}
            Some(_) => {
                cursor.value()?;
                return cursor.is_at_end().then_some(Found::NotObject);
            }
        }
        let used = out.used();
        let (mut by_name, mut by_path) = (Found::Missing, Found::Missing);
        members(&mut cursor, |cursor, name| {
            if is(cursor, name, &self.name)? {
                by_name = value_at(cursor, &[], out)?;
            } else if let [first, rest @ ..] = &self.path[..]
                && is(cursor, name, &first.name)?
            {
                by_path = value_at(cursor, rest, out)?;
            } else {
                cursor.value()?;
            }
            Some(())
        })?;
        let found = if matches!(by_name, Found::Missing) { by_path } else { by_name };
        if !matches!(found, Found::Unescaped { .. }) {
            out.rewind(used);
        }
        cursor.is_at_end().then_some(found)
    }
}

impl Step {
    fn new(name: &str) -> Result<Self, TryReserveError> {
        let index = name.parse().ok().filter(|index: &usize| index.to_string() == name);
        Ok(Self { name: boxed(name.as_bytes())?, index })
    }
}

/// The value at `path` in the next value, which is passed.
fn value_at(cursor: &mut Cursor<'_>, path: &[Step], out: &mut Unescaped) -> Option<Found> {
    cursor.space();
    match (cursor.peek()?, path) {
        (b'"', []) => {
            cursor.next();
            let start = out.used();
            let Raw { start: from, end: to, has_escapes } = cursor.text(out)?;
            Some(if has_escapes {
                Found::Unescaped { start, end: out.used() }
            } else {
                Found::Plain { start: from, end: to }
            })
        }
        (_, []) => {
            cursor.value()?;
            Some(Found::Other)
        }
        (b'{', [first, rest @ ..]) => {
            let mut found = Found::Missing;
            members(cursor, |cursor, name| {
                if is(cursor, name, &first.name)? {
                    found = value_at(cursor, rest, out)?;
                } else {
                    cursor.value()?;
                }
                Some(())
            })?;
            Some(found)
        }
        (b'[', [first, rest @ ..]) => {
            // The length of an array is a property of it, and a number.
            let is_length = &*first.name == b"length" && rest.is_empty();
            let mut found = if is_length { Found::Other } else { Found::Missing };
            let mut index = 0;
            elements(cursor, |cursor| {
                if first.index == Some(index) {
                    found = value_at(cursor, rest, out)?;
                } else {
                    cursor.value()?;
                }
                index += 1;
                Some(())
            })?;
            Some(found)
        }
        _ => {
            cursor.value()?;
            Some(Found::Missing)
        }
    }
}

/// Passes an object. `member` passes the value of each member, whose name it is given.
fn members(
    cursor: &mut Cursor<'_>,
    mut member: impl FnMut(&mut Cursor<'_>, Raw) -> Option<()>,
) -> Option<()> {
    cursor.expect(b'{')?;
    cursor.space();
    if cursor.peek()? == b'}' {
        cursor.next();
        return Some(());
    }
    loop {
        let name = cursor.name()?;
        member(cursor, name)?;
        cursor.space();
        match cursor.next()? {
            b',' => {}
            b'}' => return Some(()),
            _ => return None,
        }
    }
}

/// Passes an array. `element` passes each element.
fn elements(
    cursor: &mut Cursor<'_>,
    mut element: impl FnMut(&mut Cursor<'_>) -> Option<()>,
) -> Option<()> {
    cursor.expect(b'[')?;
    cursor.space();
    if cursor.peek()? == b']' {
        cursor.next();
        return Some(());
    }
    loop {
        element(cursor)?;
        cursor.space();
        match cursor.next()? {
            b',' => {}
            b']' => return Some(()),
            _ => return None,
        }
    }
}

fn is(cursor: &Cursor<'_>, name: Raw, wanted: &[u8]) -> Option<bool> {
    equals(cursor.raw(name), name.has_escapes, wanted)
}

fn boxed(bytes: &[u8]) -> Result<Box<[u8]>, TryReserveError> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy.into_boxed_slice())
}
