//! The protocol of shared limits on the reference store: its rules one by one, its properties, and its
//! equality with one central bucket. `shared_store` compares the script with the reference store.
#![allow(clippy::expect_used, reason = "a test that meets the unexpected should fail")]

mod client;
mod losses;
mod properties;
mod rules;
mod wire;
