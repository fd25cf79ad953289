//! Slots: the state of each key in atomic words, guarded by a spin lock per slot.

pub(crate) mod backoff;
pub(crate) mod exclusive_mode;
pub(crate) mod slot;
pub(crate) mod slot_array;
