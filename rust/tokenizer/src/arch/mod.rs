//! Kernels by processor architecture, chosen at run time: AVX2 on x86-64, NEON on arm64, and portable Rust.
//!
//! [`dispatch`] looks at the processor once per call and runs the whole work compiled for it, so that vector code is
//! inlined (function multiversioning, as the `pulp` crate does it). [`Portable`](portable::Portable) is the safe twin
//! of every kernel, for all other processors and as the oracle of the tests.
//!
//! Unsafe code of this crate is only here and in `memory`.
#![allow(unsafe_code)]

#[cfg(all(target_arch = "aarch64", has_vector_kernels))]
mod aarch64;
mod classes;
#[cfg(any(test, not(all(target_arch = "aarch64", has_vector_kernels))))]
mod portable;
mod processor;
#[cfg(test)]
mod tests;
#[cfg(has_vector_kernels)]
mod vector_block;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub(crate) use classes::Classes;
#[cfg(test)]
pub(crate) use portable::Portable;
pub(crate) use processor::{Processor, WithCpu};

/// Runs `work` compiled for the processor at hand.
#[inline(always)]
pub(crate) fn dispatch<W: WithCpu>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if x86_64::is_available() {
        // SAFETY: the processor has all the features that `x86_64::run` is compiled for.
        return unsafe { x86_64::run(work) };
    }
    #[cfg(all(target_arch = "aarch64", has_vector_kernels))]
    return aarch64::dispatch(work);
    #[cfg(not(all(target_arch = "aarch64", has_vector_kernels)))]
    work.run(portable::Portable)
}

/// The features of the processor that the kernels use, or an empty text if only portable code runs.
pub fn cpu_features() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if x86_64::is_available() {
        return x86_64::FEATURES;
    }
    #[cfg(all(target_arch = "aarch64", has_vector_kernels))]
    return if aarch64::has_aes() { "neon aes" } else { "neon" };
    #[cfg(not(all(target_arch = "aarch64", has_vector_kernels)))]
    ""
}
