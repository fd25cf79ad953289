//! What every proof needs: the two oracles and a source of nasty texts.
//!
//! Shared by the tests, `examples/` and `benches/`, each of which uses a part of it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::expect_used)]

pub mod oracle;
pub mod pathological;
pub mod texts;
