//! Snapshots: a limiter as a checksummed array of 64-bit little-endian words, and back.
//!
//! Version 3 consists of these parts, in order:
//!
//! - magic number and version;
//! - the key of the name hash (2 words);
//! - the number of time zones, and for each: its name (length in bytes, then the bytes, padded with
//!   zeros), its first offset, the number of changes, and the changes (2 words each);
//! - the number of limits, and for each: its words (with the number of its zone in this list) and its
//!   label;
//! - the wall time in nanoseconds;
//! - the number of limit sets that keys have of their own, and the words of each;
//! - the number of keys, and for each: its hash (2 words), its limit set (0 for the defaults), and two
//!   words a limit, the consumed amount and the end of its window;
//! - a checksum.
//!
//! Consumed amounts are rounded up to a millionth of a unit. Reservations are written as consumed in
//! full: they do not outlive a process that may have sent their requests.
//!
//! A limit is restored if the limiter has one of the same label (names of limit and unit) and kind; a
//! quota's window also has to be equally long. The numbers of the limit may have changed: the consumed
//! amount is kept. If a quota's windows begin on other days or in another time zone now, the amount of
//! a window that is not over counts in the current one. Nothing is taken over for other limits.
//!
//! Time that passes between snapshot and restore is taken from the wall clock. If that went back, no
//! time has passed.

pub(crate) mod encoding;
pub(crate) mod error;
pub(crate) mod restore;
pub(crate) mod write;
