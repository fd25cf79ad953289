//! Kernels for x86-64 with AVX2, BMI and AES.

mod avx2;
mod block_bytes;
mod nibbles;

pub(super) use avx2::{FEATURES, is_available, run};
