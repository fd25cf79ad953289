//! The C ABI of sluice: the only cdylib and the only place of `extern "C"`.
//!
//! This crate *is* the declaration of the ABI. `rust/abigen` parses it and writes
//! `include/sluice.h`, `src/ffi/symbols.gen.ts` and `src/abi_hash.rs`; nothing is declared twice.
//!
//! # Conventions
//!
//! - Names are `sluice_<noun>_<verb>`, one Rust file per noun.
//! - Parameters are at most six of `uint32_t`, `int32_t`, `double`, `const T*` or `T*` with a
//!   length or capacity behind it. Inputs come first, outputs last.
//! - Every function returns `int32_t`, or `double` where a result has up to 53 bits: `>= 0` is a
//!   count, a flag, a handle or an id; `< 0` is a
//!   [`status::SluiceStatus`], and [`library::sluice_library_last_error`] tells the details.
//! - Lengths and capacities count elements of the pointed-to type. A pointer may be null where its
//!   length is 0.
//! - The caller owns every buffer; nothing is retained after the call returns.
//! - An output that does not fit is written as far as it does fit, and the size that is needed is
//!   returned: a result greater than the capacity means "call again with this much room".
//! - No input aborts the process: every body runs inside [`boundary`].
//!
//! Files: `boundary` (panics), `status` (failures), `handle` (generations), `objects` (state behind
//! handles), `owner` (threads that die), `slice` (pointers), `opened` (the limiters of a thread),
//! `pools` (pools by name), `ticks` (the clock, faster), `transcode`
//! (UTF-8) and `pin` are the plumbing; every other file is a noun of the ABI.

pub mod abi_hash;
pub mod batch;
pub mod bell;
mod boundary;
pub mod cache;
pub mod clock;
pub mod counter;
pub mod handle;
pub mod job;
pub mod lease;
pub mod library;
pub mod limiter;
pub mod limiter_batch;
pub mod limiter_config;
pub mod limiter_key;
pub mod limiter_parts;
pub mod limiter_zone;
mod objects;
mod opened;
mod owner;
mod pin;
pub mod pool;
mod pools;
pub mod reservation;
mod slice;
pub mod status;
pub mod text;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod ticks;
pub mod tokenizer;
mod transcode;
pub mod upstream;
pub mod waiter;
