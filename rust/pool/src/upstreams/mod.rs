//! Upstreams: selection, health, adaptive limits.

pub(crate) mod adaptive_limit;
pub(crate) mod health;
pub(crate) mod result_window;
pub(crate) mod token;
pub(crate) mod upstream;
