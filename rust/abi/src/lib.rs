//! The C ABI of sluice: the only cdylib and the only place of `extern "C"`.
//!
//! This crate *is* the declaration of the ABI. `rust/abigen` parses it and writes `include/sluice.h`,
//! `src/ffi/symbols.gen.ts`, `docs/reference/errors.md` and the ABI hash. Nothing is declared twice.
//!
//! # Conventions
//!
//! - Names are `sluice_<noun>_<verb>`. Functions of one noun are in one file.
//! - A function has at most six parameters of `uint32_t`, `int32_t`, `double`, `const T*` or `T*`. A pointer is
//!   followed by its length or capacity. Inputs come first, outputs last.
//! - A function returns `int32_t`, or `double` where a result has up to 53 bits. A result from 0 on is a count,
//!   a flag, a handle or an id. A result below 0 is a [`SluiceStatus`](seam::status::SluiceStatus), whose message
//!   and numbers [`sluice_library_last_error`](process::library::sluice_library_last_error) and
//!   [`sluice_library_last_error_detail`](process::library::sluice_library_last_error_detail) return.
//! - Lengths and capacities count elements of the pointed-to type. A pointer may be null where its length is 0.
//! - Elements of an array that have a meaning by position have an enumeration of their indices.
//! - The caller owns every buffer. Nothing is retained after the call returns.
//! - An output that does not fit is written as far as it fits, and the size that is needed is returned. A result
//!   greater than the capacity means: call again with this much room.
//! - No input aborts the process. Every body runs inside [`boundary`](seam::boundary), and memory whose size a
//!   caller or a client decides is allocated fallibly and fails with `OUT_OF_MEMORY`.
//!
//! # What can still abort
//!
//! Rust aborts a process when an infallible allocation fails. Such allocations are small blocks of a fixed size
//! (an object behind a handle, the text of a message), the tables for a thread's first text (12 MB of address
//! space), and what grows entry by entry: the map of a limiter's names (20 bytes a key), its open reservations,
//! and the waiting line and the leases of a pool.
//!
//! # Processes and threads
//!
//! A child of `fork` that does not `exec` has only the thread that called `fork`. Counts, limiters and pools work
//! there unless another thread held one of their locks at that moment. Jobs do not work and fail with `FORKED`.
//! The ownership of threads, leases and reservations is not shared with the parent. No runtime that sluice
//! supports forks without `exec`.
//!
//! # Layout
//!
//! `seam` has the plumbing that all calls share, `process` the library itself and its threads, and `clock` the
//! time. `text` and `tokenizer`, `limiter`, and `pool` have the nouns of one core crate each.

pub mod clock;
pub mod limiter;
pub mod pool;
pub mod process;
pub mod seam;
pub mod text;
pub mod tokenizer;
