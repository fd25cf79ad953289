//! Reservations: an estimated cost is held until the actual cost of the call is known.

pub(crate) mod book;
pub(crate) mod reservation;
