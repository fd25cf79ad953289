//! The oracles and the generators of difficult texts, shared by the tests, `examples/` and `benches/`.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::expect_used)]

pub mod oracle;
pub mod pathological;
pub mod texts;
