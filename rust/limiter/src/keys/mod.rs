//! The key table: a hash table from names to slots, with a slot allocator and eviction of idle keys.

pub(crate) mod key;
pub(crate) mod key_table;
pub(crate) mod slot_allocator;
