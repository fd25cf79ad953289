//! Arguments that cross as an array of numbers: integers of 32 bits, numbers, and addresses below 2^53.

use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// The most parameters that a function of the ABI has.
pub(crate) const MOST_ARGUMENTS: usize = 6;

/// The arguments of a call by position.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a>(pub(crate) &'a [f64; MOST_ARGUMENTS]);

impl Arguments<'_> {
    pub(crate) fn u32(self, at: usize) -> u32 {
        self.0[at] as u32
    }

    pub(crate) fn i32(self, at: usize) -> i32 {
        self.0[at] as i32
    }

    pub(crate) fn f64(self, at: usize) -> f64 {
        self.0[at]
    }

    pub(crate) fn input<T>(self, at: usize) -> *const T {
        with_exposed_provenance(self.0[at] as usize)
    }

    pub(crate) fn output<T>(self, at: usize) -> *mut T {
        with_exposed_provenance_mut(self.0[at] as usize)
    }
}
