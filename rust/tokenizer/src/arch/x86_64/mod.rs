//! Kernels for x86-64 with AVX2, BMI and AES.

mod avx2;
mod avx2_non_ascii;
mod block_bytes;

pub(super) use avx2::{is_available, run};
