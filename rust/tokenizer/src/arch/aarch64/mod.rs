//! Kernels for little-endian 64-bit ARM with NEON as part of the target, as all targets with a standard library have it,
//! and with AES where the processor has it.

mod block_bytes;
mod neon;
mod nibbles;

pub(super) use neon::{dispatch, has_aes};
