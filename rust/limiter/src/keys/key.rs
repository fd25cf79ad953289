//! Handles of keys: a slot index with a generation.

/// A key: a slot, and which of the slot's tenants it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The slot.
    pub index: u32,
    /// Counts the tenants of the slot, modulo 2^21: index and generation fit the integers of a double.
    /// A key that is exactly 2^21 tenants old is taken for the present one.
    pub generation: u32,
}

impl Key {
    /// Stands for a name that has no key yet, in calls that only read. In all other calls it is stale.
    pub const NONE: Self = Self { index: u32::MAX, generation: u32::MAX };
}

/// Why a new name gets no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All slots belong to keys that are not idle.
    Keys,
    /// The system has no memory for more slots.
    Memory,
}
