//! The C ABI of sluice.
