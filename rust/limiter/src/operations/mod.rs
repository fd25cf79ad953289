//! Calls on one limiter beyond a single decision: batches, partial takes, management of keys.

pub(crate) mod batch;
pub(crate) mod credit;
pub(crate) mod key_management;
pub(crate) mod take_up_to;
