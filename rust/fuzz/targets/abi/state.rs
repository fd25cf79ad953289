//! Handles and numbers that earlier calls returned, and how an input refers to them: live, stale, of another noun, or
//! forged.

use arbitrary::Arbitrary;
use sluice::process::library::sluice_library_last_error;
use sluice::seam::status::SluiceStatus;

/// A handle.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub(crate) enum Handle {
    Known(u8),
    /// A handle that a call returned, with one bit flipped.
    Near(u8, u8),
    Raw(u32),
}

/// A number: a key, an id, a cost, a time.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub(crate) enum Number {
    Known(u8),
    Small(i8),
    Word(u32),
    Raw(f64),
    NotANumber,
    Infinite,
    Large,
}

/// The results of earlier calls.
#[derive(Default)]
pub(crate) struct State {
    handles: Vec<u32>,
    numbers: Vec<f64>,
    pub(crate) snapshot: Vec<u8>,
}

/// The most numbers that are kept.
const MOST_NUMBERS: usize = 200;
/// The most elements of a list.
const MOST_LISTED: usize = 64;

impl State {
    pub(crate) fn handle(&self, handle: Handle) -> u32 {
        let known = |i: u8| self.handles.get(usize::from(i) % self.handles.len().max(1)).copied();
        match handle {
            Handle::Known(i) => known(i).unwrap_or(0),
            Handle::Near(i, bit) => known(i).unwrap_or(0) ^ 1 << (bit % 31),
            Handle::Raw(raw) => raw,
        }
    }

    pub(crate) fn number(&self, number: Number) -> f64 {
        match number {
            Number::Known(i) => {
                self.numbers.get(usize::from(i) % self.numbers.len().max(1)).copied().unwrap_or(0.0)
            }
            Number::Small(small) => small.into(),
            Number::Word(word) => word.into(),
            Number::Raw(raw) => raw,
            Number::NotANumber => f64::NAN,
            Number::Infinite => f64::INFINITY,
            Number::Large => 1e12,
        }
    }

    pub(crate) fn numbers(&self, numbers: &[Number]) -> Vec<f64> {
        numbers.iter().take(MOST_LISTED).map(|&number| self.number(number)).collect()
    }

    /// Checks a result that is a handle if it is one.
    pub(crate) fn opened(&mut self, result: i32) {
        if checked(result) > 0 {
            self.handles.push(result.cast_unsigned());
        }
    }

    /// Checks a result that later calls may name.
    pub(crate) fn given(&mut self, result: f64) -> f64 {
        assert!(result != f64::from(SluiceStatus::Panic as i32), "panic: {}", last_error());
        assert!(!result.is_nan(), "a result that is no number");
        if result > 0.0 {
            self.keep(result);
        }
        result
    }

    pub(crate) fn keep(&mut self, number: f64) {
        if self.numbers.len() == MOST_NUMBERS {
            self.numbers.remove(0);
        }
        self.numbers.push(number);
    }
}

/// Any result but a panic is one.
pub(crate) fn checked(result: i32) -> i32 {
    assert!(result != SluiceStatus::Panic as i32, "panic: {}", last_error());
    result
}

pub(crate) fn last_error() -> String {
    let mut bytes = [0; 512];
    // SAFETY: pointer and capacity come from a live array.
    let length = unsafe { sluice_library_last_error(bytes.as_mut_ptr(), bytes.len() as u32) };
    String::from_utf8_lossy(&bytes[..(length as usize).min(bytes.len())]).into_owned()
}

/// A buffer of `capacity` elements. Exact, so that a sanitizer detects writes beyond its end.
pub(crate) fn room<T: Default + Clone>(capacity: impl Into<usize>) -> Vec<T> {
    vec![T::default(); capacity.into()]
}
